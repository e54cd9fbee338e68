using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Samples;

/// <summary>A line of a file of samples.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Fields">What it says.</param>
internal sealed record Sample(int Line, JsonObject Fields)
{
    /// <summary>Reads a line.</summary>
    /// <exception cref="FormatException">It is no JSON object.</exception>
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

    /// <summary>Whether each of these fields has this value; a null fits a field that is null or missing.</summary>
    public bool Has(JsonObject fields) => fields.All(field => JsonNode.DeepEquals(Fields[field.Key], field.Value));

    /// <summary>The numbers of a field: one (of a flag 1 or 0), those of a list, or none where it is null or missing.</summary>
    public IEnumerable<double> Numbers(string field) => Fields[field] switch
    {
        null => [],
        JsonArray list => list.Select(item => (double)item!),
        var value => [value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? (bool)value ? 1 : 0 : (double)value],
    };
}
