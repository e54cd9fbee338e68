using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>Represents a line of a file of samples.</summary>
/// <param name="Line">The number of the line, starting at 1.</param>
/// <param name="Fields">The fields of the sample.</param>
internal sealed record Sample(int Line, JsonObject Fields)
{
    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">The line is not a JSON object.</exception>
    public static Sample Parse(int number, string line)
    {
        try
        {
            return JsonNode.Parse(line) is JsonObject fields ? new Sample(number, fields) : throw new FormatException($"Line {number} is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new FormatException($"Line {number} is not valid JSON: {error.Message}", error);
        }
    }

    /// <summary>Returns whether the sample has these values. A null matches a field that is null or missing.</summary>
    public bool Has(JsonObject fields) => fields.All(field => JsonNode.DeepEquals(Fields[field.Key], field.Value));

    /// <summary>Gets the numbers of a field: one number (1 or 0 for a flag), those of a list, or none if the field is null or missing.</summary>
    public IEnumerable<double> Numbers(string field) => Fields[field] switch
    {
        null => [],
        JsonArray list => list.Select(item => (double)item!),
        var value => [value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? (bool)value ? 1 : 0 : (double)value],
    };
}
