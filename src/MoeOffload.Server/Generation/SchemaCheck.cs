using MoeOffload.Schemas;

namespace MoeOffload.Server.Generation;

/// <summary>
/// Represents the result of checking an answer against a schema of which the grammar does not hold everything. It is a part of the answer in each
/// API.
/// </summary>
/// <param name="Valid">Whether the answer is valid against the whole schema.</param>
/// <param name="Unenforced">The keywords that the grammar does not hold, as JSON pointers.</param>
/// <param name="Violations">The first violations; empty if there are none.</param>
internal sealed record SchemaCheck(bool Valid, IReadOnlyList<string> Unenforced, IReadOnlyList<string> Violations)
{
    private const int MostPointers = 50;

    /// <summary>Checks an answer.</summary>
    /// <param name="schema">The schema of the answer, or <see langword="null"/> if it has none.</param>
    /// <param name="answer">The text of the answer. An empty one, as beside a tool call, is not checked.</param>
    /// <returns>The result, or <see langword="null"/> if there is nothing to say, because the grammar holds the whole schema.</returns>
    public static SchemaCheck? Of(JsonSchema? schema, string answer)
    {
        if (schema is null or { Unenforced.Count: 0 } || answer.Length == 0)
        {
            return null;
        }

        IReadOnlyList<JsonSchemaViolation> violations = schema.Validate(answer);
        return new SchemaCheck(violations.Count == 0, [.. schema.Unenforced.Take(MostPointers)], [.. violations.Select(violation => violation.ToString())]);
    }
}
