namespace TinyMoe.World;

/// <summary>Represents a kind of story: the category of its thing, its beats in order, and the questions about it.</summary>
internal sealed record Plot(
    string Things, IReadOnlyList<string> Morals, IReadOnlyList<Beat> Beats, IReadOnlyList<(Template Question, Template Answer)> Questions);
