namespace MoeOffload.Schemas;

/// <summary>Represents a place where a value violates a JSON schema.</summary>
/// <param name="Path">The location in the value, as a JSON pointer. It is empty for the whole value.</param>
/// <param name="Keyword">The location of the keyword in the schema, as a JSON pointer that starts with <c>#</c>.</param>
/// <param name="Reason">The reason, in English.</param>
public sealed record JsonSchemaViolation(string Path, string Keyword, string Reason)
{
    /// <summary>Returns the location and the reason.</summary>
    public override string ToString() => $"{(Path.Length == 0 ? "The value" : Path)}: {Keyword} {Reason}.";
}
