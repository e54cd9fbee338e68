namespace TinyMoe.World;

/// <summary>Represents a story: its characters and things, its text, and the questions about it.</summary>
internal sealed record Story(IReadOnlyDictionary<string, string> Words, string Text, IReadOnlyList<Exchange> Questions);
