namespace TinyMoe.World;

/// <summary>Represents a step of a story, for which one of several lines is used.</summary>
internal sealed record Beat(bool IsOptional, IReadOnlyList<Template> Lines);
