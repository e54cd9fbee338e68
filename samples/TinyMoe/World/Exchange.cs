namespace TinyMoe.World;

/// <summary>A question, or request, and the right answer.</summary>
internal sealed record Exchange(string Question, string Answer)
{
    /// <summary>Whether other answers would be as good: a story, or small talk.</summary>
    public bool IsFree { get; init; }
}
