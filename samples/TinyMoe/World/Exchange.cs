namespace TinyMoe.World;

/// <summary>Represents a question or request and the correct answer.</summary>
internal sealed record Exchange(string Question, string Answer)
{
    /// <summary>Gets a value that indicates whether other answers are also correct, as for a story or small talk.</summary>
    public bool IsFree { get; init; }
}
