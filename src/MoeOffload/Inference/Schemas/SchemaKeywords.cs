using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Reads the keywords of a schema, each of its kind.</summary>
/// <param name="what">What the schema is, to begin messages with.</param>
internal sealed class SchemaKeywords(string what)
{
    /// <summary>The types that a schema names; none where it has no such keyword.</summary>
    public string[] Types(JsonObject schema, string path) => schema["type"] switch
    {
        null => [],
        JsonValue value when value.TryGetValue(out string? type) => [type],
        JsonArray { Count: > 0 } types when types.All(type => type is JsonValue it && it.GetValueKind() == JsonValueKind.String) =>
            [.. types.Select(type => (string)type!).Distinct()],
        _ => throw Malformed(path, "has a type that is neither a name nor a list of names"),
    };

    /// <summary>A keyword that must be there, and a list.</summary>
    public JsonArray Array(JsonObject schema, string keyword, string path, bool mayBeEmpty = false) =>
        schema[keyword] is JsonArray array && (array.Count > 0 || mayBeEmpty) ? array : throw Malformed(path, $"has '{keyword}', which is no list, or an empty one");

    /// <summary>A keyword that is a text; null where it is missing.</summary>
    public string? Text(JsonObject schema, string keyword, string path) =>
        schema[keyword] is not { } node ? null
        : node is JsonValue value && value.TryGetValue(out string? text) ? text
        : throw Malformed(path, $"has '{keyword}', which is no text");

    /// <summary>A keyword that is a number; null where it is missing.</summary>
    public decimal? Number(JsonObject schema, string keyword, string path)
    {
        if (schema[keyword] is not { } node)
        {
            return null;
        }

        return node.GetValueKind() == JsonValueKind.Number
            && decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
            ? number
            : throw Malformed(path, $"has '{keyword}', which is no number, or too large");
    }

    /// <summary>Two keywords that are counts, the first no larger than the second; null where they are missing.</summary>
    public (int? Least, int? Most) Range(JsonObject schema, string leastKeyword, string mostKeyword, string path)
    {
        int? least = Count(leastKeyword);
        int? most = Count(mostKeyword);
        return least > most ? throw Malformed(path, $"has {leastKeyword} above {mostKeyword}") : (least is 0 ? null : least, most);

        int? Count(string keyword) => Number(schema, keyword, path) switch
        {
            null => null,
            { } number when number >= 0 && number <= int.MaxValue && number == Math.Floor(number) => (int)number,
            _ => throw Malformed(path, $"has '{keyword}', which is no count"),
        };
    }

    /// <summary>The error of a schema that cannot be read or honoured.</summary>
    public ArgumentException Malformed(string path, string reason) => new($"{what} cannot be honoured: {path} {reason}.");
}
