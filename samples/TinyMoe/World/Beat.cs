namespace TinyMoe.World;

/// <summary>A step of a story, of which one line is told.</summary>
internal sealed record Beat(bool IsOptional, IReadOnlyList<Template> Lines);
