namespace TinyMoe.World;

/// <summary>A story: who and what it is about, its text, and all that can be asked about it.</summary>
internal sealed record Story(IReadOnlyDictionary<string, string> Words, string Text, IReadOnlyList<Exchange> Questions);
