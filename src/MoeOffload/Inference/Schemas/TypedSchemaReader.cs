using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>Rewrites the keywords of a schema that apply to one type.</summary>
internal sealed class TypedSchemaReader(JsonSchemaReader reader, SchemaKeywords keywords)
{
    /// <summary>Gets the keywords that apply to each type. The keywords of integers also apply to numbers.</summary>
    public static IReadOnlyDictionary<string, string[]> ByType { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["object"] = ["properties", "required", "additionalProperties"],
        ["array"] = ["items", "prefixItems", "additionalItems", "minItems", "maxItems"],
        ["string"] = ["pattern", "format", "minLength", "maxLength"],
        ["integer"] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    };

    /// <summary>Rewrites the keywords for a type.</summary>
    public JsonObject Read(JsonObject schema, string type, string path) => type switch
    {
        "object" => ReadObject(schema, path),
        "array" => ReadArray(schema, path),
        "string" => ReadString(schema, path),
        "integer" => ReadInteger(schema, path),
        "number" => ReadNumber(schema, path),
        "boolean" or "null" => new JsonObject { ["type"] = type },
        _ => throw keywords.Malformed(path, $"has the unknown type '{type}'"),
    };

    private JsonObject ReadObject(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "object" };
        JsonObject? properties = schema["properties"] is { } node ? node as JsonObject ?? throw keywords.Malformed(path, "has properties that are not an object") : null;
        if (properties is not null)
        {
            result["properties"] = reader.ReadEach(properties, $"{path}/properties");
        }

        JsonArray required = [];
        foreach (JsonNode? name in schema.ContainsKey("required") ? keywords.Array(schema, "required", path, mayBeEmpty: true) : [])
        {
            string text = name is JsonValue value && value.TryGetValue(out string? it) ? it : throw keywords.Malformed(path, "requires a property whose name is not a string");
            if (properties?.ContainsKey(text) == true)
            {
                required.Add((JsonNode)text);
            }
            else
            {
                reader.Refuse(path, $"requires '{text}', which is not one of its properties");
            }
        }

        if (required.Count > 0)
        {
            result["required"] = required;
        }

        if (schema["additionalProperties"] is { } additional)
        {
            result["additionalProperties"] = additional is JsonObject ? reader.Read(additional, $"{path}/additionalProperties")
                : additional.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? additional.DeepClone()
                : throw keywords.Malformed(path, "has additionalProperties that are neither a schema nor a boolean");
        }

        return result;
    }

    private JsonObject ReadArray(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "array" };
        (int? least, int? most) = keywords.Range(schema, "minItems", "maxItems", path);
        string keyword = schema["items"] is JsonArray ? "items" : "prefixItems";
        if (schema.ContainsKey(keyword))
        {
            JsonArray items = keywords.Array(schema, keyword, path);
            reader.Alter(keyword == "prefixItems" && schema.ContainsKey("items"));
            bool isClosed = schema[keyword == "items" ? "additionalItems" : "items"] is not { } rest || rest.GetValueKind() == JsonValueKind.False;
            if (least > items.Count || most < items.Count || !isClosed)
            {
                reader.Refuse(path, "allows items after, or fewer items than, those that it lists, which cannot be enforced");
            }

            result[keyword] = reader.ReadEach(items, $"{path}/{keyword}");
            return result;
        }

        if (schema["items"] is { } item)
        {
            result["items"] = reader.Read(item, $"{path}/items");
        }

        return WithRange(result, "minItems", least, "maxItems", most);
    }

    private JsonObject ReadString(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "string" };
        (int? least, int? most) = keywords.Range(schema, "minLength", "maxLength", path);
        string? pattern = keywords.Text(schema, "pattern", path);
        string? format = keywords.Text(schema, "format", path);
        if (format is not (null or "date" or "time" or "date-time" or "uuid"))
        {
            reader.Refuse(path, $"has the format '{format}', which cannot be enforced; date, time, date-time and uuid can");
            format = null;
        }

        if ((pattern is null ? 0 : 1) + (format is null ? 0 : 1) + (least is null && most is null ? 0 : 1) > 1)
        {
            reader.Refuse(path, "has more than one of a pattern, a format and a length, of which only one can be enforced");
        }

        if (pattern is not null && Translate(pattern, path) is { } translated)
        {
            result["pattern"] = translated;
        }
        else if (format is not null)
        {
            result["format"] = format;
        }
        else
        {
            WithRange(result, "minLength", least, "maxLength", most);
        }

        return result;
    }

    private string? Translate(string pattern, string path)
    {
        try
        {
            string translated = JsonPattern.Translate(pattern);
            reader.Alter(translated != pattern);
            return translated;
        }
        catch (FormatException error)
        {
            reader.Refuse(path, $"has the pattern {pattern}, which cannot be enforced: {error.Message}");
            return null;
        }
    }

    private JsonObject ReadInteger(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "integer" };
        decimal? least = keywords.Number(schema, "minimum", path);
        decimal? above = keywords.Number(schema, "exclusiveMinimum", path);
        decimal? most = keywords.Number(schema, "maximum", path);
        decimal? below = keywords.Number(schema, "exclusiveMaximum", path);
        decimal? bottom = Max(least is { } a ? Math.Ceiling(a) : null, above is { } b ? Math.Floor(b) + 1 : null);
        decimal? top = -Max(most is { } c ? -Math.Floor(c) : null, below is { } d ? 1 - Math.Ceiling(d) : null);
        reader.Alter((least is not null && above is not null) || (most is not null && below is not null));
        if (bottom > top)
        {
            throw keywords.Malformed(path, "has a minimum that is greater than its maximum");
        }

        if (keywords.Number(schema, "multipleOf", path) is not (null or 1))
        {
            reader.Refuse(path, "has the keyword 'multipleOf', which cannot be enforced");
        }

        if (bottom is { } from && from > long.MinValue && from <= long.MaxValue)
        {
            result["minimum"] = (long)from;
        }

        if (top is { } to && to >= long.MinValue && to < long.MaxValue)
        {
            result["maximum"] = (long)to;
        }

        return result;

        static decimal? Max(decimal? one, decimal? other) => one is null || other > one ? other : one;
    }

    private JsonObject ReadNumber(JsonObject schema, string path)
    {
        string[] bounds = [.. ByType["integer"].Where(schema.ContainsKey)];
        if (bounds.Length > 0)
        {
            reader.Refuse(path, $"bounds a number by {string.Join(", ", bounds)}, which can be enforced for integers only");
        }

        return new JsonObject { ["type"] = "number" };
    }

    private static JsonObject WithRange(JsonObject schema, string leastKeyword, int? least, string mostKeyword, int? most)
    {
        if (least is { } from)
        {
            schema[leastKeyword] = from;
        }

        if (most is { } to)
        {
            schema[mostKeyword] = to;
        }

        return schema;
    }
}
