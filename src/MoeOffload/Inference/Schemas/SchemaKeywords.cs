using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Reads the keywords of a schema.</summary>
/// <param name="what">A description of the schema, with which error messages start.</param>
internal sealed class SchemaKeywords(string what)
{
    /// <summary>Returns the types that a schema names, or an empty array if it has no <c>type</c> keyword.</summary>
    public string[] Types(JsonObject schema, string path) => schema["type"] switch
    {
        null => [],
        JsonValue value when value.TryGetValue(out string? type) => [type],
        JsonArray { Count: > 0 } types when types.All(type => type is JsonValue it && it.GetValueKind() == JsonValueKind.String) =>
            [.. types.Select(type => (string)type!).Distinct()],
        _ => throw Malformed(path, "has a type that is neither a name nor a list of names"),
    };

    /// <summary>Returns the value of a required keyword that is a list.</summary>
    public JsonArray Array(JsonObject schema, string keyword, string path, bool mayBeEmpty = false) =>
        schema[keyword] is JsonArray array && (array.Count > 0 || mayBeEmpty) ? array : throw Malformed(path, $"has '{keyword}', which is not a list, or is empty");

    /// <summary>Returns the value of a keyword that is a string, or null if it is missing.</summary>
    public string? Text(JsonObject schema, string keyword, string path) =>
        schema[keyword] is not { } node ? null
        : node is JsonValue value && value.TryGetValue(out string? text) ? text
        : throw Malformed(path, $"has '{keyword}', which is not a string");

    /// <summary>Returns the value of a keyword that is a number, or null if it is missing.</summary>
    public decimal? Number(JsonObject schema, string keyword, string path)
    {
        if (schema[keyword] is not { } node)
        {
            return null;
        }

        return node.GetValueKind() == JsonValueKind.Number
            && decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
            ? number
            : throw Malformed(path, $"has '{keyword}', which is not a number, or is too large");
    }

    /// <summary>
    /// Returns the values of two keywords that are counts, or null for those that are missing. The first must not be greater than the
    /// second.
    /// </summary>
    public (int? Least, int? Most) Range(JsonObject schema, string leastKeyword, string mostKeyword, string path)
    {
        int? least = Count(leastKeyword);
        int? most = Count(mostKeyword);
        return least > most ? throw Malformed(path, $"has a {leastKeyword} that is greater than its {mostKeyword}") : (least is 0 ? null : least, most);

        int? Count(string keyword) => Number(schema, keyword, path) switch
        {
            null => null,
            { } number when number >= 0 && number <= int.MaxValue && number == Math.Floor(number) => (int)number,
            _ => throw Malformed(path, $"has '{keyword}', which is not a non-negative integer"),
        };
    }

    /// <summary>Creates the exception for a schema that is not valid or cannot be enforced.</summary>
    public ArgumentException Malformed(string path, string reason) => new($"{what} is not supported: {path} {reason}.");
}
