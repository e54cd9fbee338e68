namespace TinyMoe.World;

/// <summary>A question, or request, and the right answer.</summary>
internal sealed record Exchange(string Question, string Answer);
