using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Determines whether the alternatives of a schema exclude each other: by type, by value, or by the values of a property.</summary>
internal sealed class SchemaAlternatives(JsonObject root)
{
    private static readonly string[] s_types = ["object", "array", "string", "number", "boolean", "null"];

    /// <summary>Determines whether no value matches two of the schemas.</summary>
    /// <returns>
    /// <see langword="true"/> if the schemas exclude each other; <see langword="false"/> if they do not, or if that cannot be determined.
    /// </returns>
    public bool ExcludeEachOther(JsonArray schemas)
    {
        for (int i = 0; i < schemas.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (!Exclude(Resolve(schemas[i]), Resolve(schemas[j])))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Determines whether a value is of the specified JSON schema type.</summary>
    public static bool IsOf(JsonNode? value, string type) => value is null
        ? type == "null"
        : (type, value.GetValueKind()) switch
        {
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("number", JsonValueKind.Number) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            ("integer", JsonValueKind.Number) => decimal.TryParse(
                value.ToJsonString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out decimal number)
                && number == Math.Floor(number),
            _ => false,
        };

    private bool Exclude(JsonObject? one, JsonObject? other)
    {
        if (one is null || other is null)
        {
            return false;
        }

        if (Values(one) is { } values && Values(other) is { } others)
        {
            return !values.Any(value => others.Any(it => JsonNode.DeepEquals(value, it)));
        }

        if (!Types(one).Intersect(Types(other)).Any())
        {
            return true;
        }

        return Names(one).Intersect(Names(other)).Any(name =>
            Resolve(one["properties"]?[name]) is { } left && Resolve(other["properties"]?[name]) is { } right
            && Values(left) is not null && Values(right) is not null && Exclude(left, right));
    }

    private static JsonNode?[]? Values(JsonObject schema) =>
        schema.ContainsKey("const") ? [schema["const"]]
        : schema["enum"] is JsonArray values ? [.. values]
        : null;

    private static string[] Names(JsonObject schema) =>
        schema["type"] is JsonValue type && (string?)type == "object" && schema["required"] is JsonArray names ? [.. names.Select(name => (string)name!)] : [];

    private string[] Types(JsonObject schema) =>
        Values(schema) is { } values ? [.. s_types.Where(type => values.Any(value => IsOf(value, type)))]
        : schema["type"] is JsonValue type ? [Widened((string)type!)]
        : schema["type"] is JsonArray types ? [.. types.Select(type => Widened((string)type!))]
        : (schema["anyOf"] ?? schema["oneOf"]) is JsonArray parts ? [.. parts.SelectMany(part => Resolve(part) is { } it ? Types(it) : s_types)]
        : s_types;

    private static string Widened(string type) => type == "integer" ? "number" : type;

    private JsonObject? Resolve(JsonNode? schema)
    {
        var node = schema as JsonObject;
        for (int steps = 0; node?["$ref"] is JsonValue reference; steps++)
        {
            JsonNode? target = root;
            foreach (string name in ((string)reference!).Split('/').Skip(1))
            {
                target = (target as JsonObject)?[name];
            }

            node = steps < 16 ? target as JsonObject : null;
        }

        return node;
    }
}
