namespace TinyMoe.World;

/// <summary>A kind of story: the category of its thing, its beats in their order, and what can be asked about it.</summary>
internal sealed record Plot(
    string Things, IReadOnlyList<string> Morals, IReadOnlyList<Beat> Beats, IReadOnlyList<(Template Question, Template Answer)> Questions);
