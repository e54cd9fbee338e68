using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload;

/// <summary>
/// Rewrites a schema to one of which llama.cpp's converter passes over nothing. What has no such form is refused, or left out of a
/// schema that is only a help to the model.
/// </summary>
internal sealed class JsonSchemaReader
{
    private const int MaxLength = 1 << 18;
    private const int MaxNameLength = 256;
    private const string WholeSchema = "#/$defs/schema";

    private static readonly HashSet<string> s_annotations = new(StringComparer.Ordinal)
    {
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment", "$anchor", "$defs", "definitions",
    };

    private static readonly Dictionary<string, string[]> s_keywords = new(StringComparer.Ordinal)
    {
        ["object"] = ["properties", "required", "additionalProperties"],
        ["array"] = ["items", "prefixItems", "additionalItems", "minItems", "maxItems"],
        ["string"] = ["pattern", "format", "minLength", "maxLength"],
        ["integer"] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
    };

    private static readonly HashSet<string> s_known = new(
        s_keywords.Values.SelectMany(names => names).Concat(["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"]), StringComparer.Ordinal);

    private readonly JsonObject _root;
    private readonly bool _isStrict;
    private readonly string _what;
    private readonly bool _isWrapped;
    private bool _isAltered;

    private JsonSchemaReader(JsonObject root, bool isStrict, string what)
    {
        _root = root;
        _isStrict = isStrict;
        _what = what;
        _isWrapped = RefersToRoot(root);
        _isAltered = _isWrapped;
    }

    /// <summary>Reads a schema's JSON.</summary>
    /// <exception cref="ArgumentException">It is no JSON object, too long, nested too deeply, or has too long names.</exception>
    public static JsonObject Parse(string json, string what)
    {
        if (json.Length > MaxLength)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{what} has {json.Length} characters; {MaxLength} are allowed."));
        }

        try
        {
            JsonNode? node = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            JsonObject root = node as JsonObject ?? throw new ArgumentException($"{what} is no JSON object.");
            CheckNames(root, what);
            return root;
        }
        catch (JsonException error)
        {
            throw new ArgumentException($"{what} is no JSON: {error.Message}", error);
        }
    }

    /// <summary>Rewrites a schema that has to be honoured.</summary>
    /// <exception cref="ArgumentException">It cannot be; the message says where and why.</exception>
    public static JsonObject Strictly(JsonObject schema, string what) => new JsonSchemaReader(schema, isStrict: true, what).Read();

    /// <summary>Rewrites a schema of which as much as possible shall be honoured.</summary>
    /// <returns>The schema itself where it can be honoured as it is.</returns>
    /// <exception cref="ArgumentException">It is malformed.</exception>
    public static JsonObject Loosely(JsonObject schema, string what)
    {
        var reader = new JsonSchemaReader(schema, isStrict: false, what);
        JsonObject result = reader.Read();
        return reader._isAltered ? result : schema;
    }

    // The converter knows references to parts only.
    private JsonObject Read()
    {
        JsonObject schema = Read(_root, "#");
        return _isWrapped
            ? new JsonObject { ["$defs"] = new JsonObject { ["schema"] = schema }, ["$ref"] = WholeSchema }
            : schema;
    }

    private JsonObject Read(JsonNode? node, string path)
    {
        if (node is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
        {
            _isAltered = true;
            if (value.GetValueKind() == JsonValueKind.False)
            {
                Refuse(path, "allows nothing (false)");
            }

            return [];
        }

        JsonObject schema = node as JsonObject ?? throw Malformed(path, "is no schema: an object is expected");
        JsonObject result = ReadDefinitions(schema, path);
        foreach ((string keyword, JsonNode? part) in ReadBody(schema, path))
        {
            result[keyword] = part?.DeepClone();
        }

        return result;
    }

    private JsonObject ReadDefinitions(JsonObject schema, string path)
    {
        var result = new JsonObject();
        foreach (string keyword in (ReadOnlySpan<string>)["title", "description"])
        {
            if (schema[keyword] is JsonValue text)
            {
                result[keyword] = text.DeepClone();
            }
        }

        foreach (string keyword in (ReadOnlySpan<string>)["$defs", "definitions"])
        {
            if (schema[keyword] is JsonObject definitions)
            {
                result[keyword] = ReadEach(definitions, $"{path}/{keyword}");
            }
        }

        return result;
    }

    private JsonObject ReadBody(JsonObject schema, string path)
    {
        foreach ((string keyword, _) in schema)
        {
            if (!s_known.Contains(keyword) && !s_annotations.Contains(keyword) && !keyword.StartsWith("x-", StringComparison.Ordinal))
            {
                Refuse(path, $"has the keyword '{keyword}', which cannot be enforced");
            }
        }

        string[] keywords = Assertions(schema);
        if (schema.ContainsKey("$ref"))
        {
            RefuseBeside(path, "$ref", keywords);
            return new JsonObject { ["$ref"] = Reference(schema["$ref"], path) };
        }

        if (keywords.Contains("allOf"))
        {
            return ReadAllOf(schema, path);
        }

        if (keywords.Contains("anyOf") || keywords.Contains("oneOf"))
        {
            return ReadAlternatives(schema, path);
        }

        if (keywords.Contains("const"))
        {
            RefuseBeside(path, "const", [.. keywords.Except(["type"])]);
            return new JsonObject { ["const"] = schema["const"]?.DeepClone() };
        }

        return keywords.Contains("enum") ? ReadEnum(schema, path, keywords) : ReadTypes(schema, path, keywords);
    }

    private JsonObject ReadAllOf(JsonObject schema, string path)
    {
        JsonArray parts = Array(schema, "allOf", path);
        if (parts.Count == 1 && parts[0] is JsonObject only)
        {
            _isAltered = true;
            return ReadBody(Join(Without(schema, "allOf"), only, $"{path}/allOf/0"), path);
        }

        Refuse(path, "joins several schemas by allOf, which cannot be enforced exactly: write them as one");
        return new JsonObject { ["allOf"] = ReadEach(parts, $"{path}/allOf") };
    }

    private JsonObject ReadAlternatives(JsonObject schema, string path)
    {
        string keyword = schema.ContainsKey("oneOf") ? "oneOf" : "anyOf";
        if (keyword == "oneOf" && schema.ContainsKey("anyOf"))
        {
            Refuse(path, "has both anyOf and oneOf: write one of them");
        }

        JsonObject beside = Without(Without(schema, "oneOf"), "anyOf");
        JsonArray alternatives = [];
        int index = 0;
        foreach (JsonNode? alternative in Array(schema, keyword, path))
        {
            string at = $"{path}/{keyword}/{index++}";
            alternatives.Add((JsonNode)Read(alternative is JsonObject one ? Join(beside, one, at) : alternative, at));
        }

        if (keyword == "oneOf" && _isStrict && !new SchemaAlternatives(_root).ExcludeEachOther(alternatives))
        {
            Refuse($"{path}/oneOf", "has alternatives that may hold at once, and oneOf cannot be enforced then: use anyOf");
        }

        return new JsonObject { [keyword] = alternatives };
    }

    private JsonObject ReadEnum(JsonObject schema, string path, string[] keywords)
    {
        RefuseBeside(path, "enum", [.. keywords.Except(["type"])]);
        string[] types = Types(schema, path);
        JsonNode?[] values =
        [
            .. Array(schema, "enum", path).Where(value => types.Length == 0 || types.Any(type => SchemaAlternatives.IsOf(value, type)))
                .Select(value => value?.DeepClone()),
        ];
        _isAltered |= values.Length != Array(schema, "enum", path).Count;
        return values.Length > 0
            ? new JsonObject { ["enum"] = new JsonArray(values) }
            : throw Malformed(path, "has an enum without a value of its type");
    }

    private JsonObject ReadTypes(JsonObject schema, string path, string[] keywords)
    {
        string[] types = Types(schema, path);
        if (types.Length == 0)
        {
            string[] meant = [.. s_keywords.Where(type => type.Value.Any(keywords.Contains)).Select(type => type.Key)];
            if (meant.Length > 1 || meant is ["integer"])
            {
                Refuse(path, $"has no type, and keywords of {string.Join(" and ", meant)}: add the type");
            }

            return meant.Length == 0 || meant is ["integer"] ? [] : ReadType(schema, meant[0], path);
        }

        // Several types stay in one schema, so that references to its parts find them.
        var result = new JsonObject();
        foreach ((string keyword, JsonNode? part) in types.SelectMany(type => ReadType(schema, type, path)))
        {
            result[keyword] = part?.DeepClone();
        }

        result["type"] = types.Length == 1 ? types[0] : new JsonArray([.. types.Select(type => (JsonNode)type)]);
        return result;
    }

    private JsonObject ReadType(JsonObject schema, string type, string path) => type switch
    {
        "object" => ReadObject(schema, path),
        "array" => ReadArray(schema, path),
        "string" => ReadString(schema, path),
        "integer" => ReadInteger(schema, path),
        "number" => ReadNumber(schema, path),
        "boolean" or "null" => new JsonObject { ["type"] = type },
        _ => throw Malformed(path, $"has the unknown type '{type}'"),
    };

    private JsonObject ReadObject(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "object" };
        JsonObject? properties = schema["properties"] is { } node ? node as JsonObject ?? throw Malformed(path, "has properties that are no object") : null;
        if (properties is not null)
        {
            result["properties"] = ReadEach(properties, $"{path}/properties");
        }

        JsonArray required = [];
        foreach (JsonNode? name in schema.ContainsKey("required") ? Array(schema, "required", path, mayBeEmpty: true) : [])
        {
            string text = name is JsonValue value && value.TryGetValue(out string? it) ? it : throw Malformed(path, "requires something that is no name");
            if (properties?.ContainsKey(text) == true)
            {
                required.Add((JsonNode)text);
            }
            else
            {
                Refuse(path, $"requires '{text}', which is none of its properties");
            }
        }

        if (required.Count > 0)
        {
            result["required"] = required;
        }

        if (schema["additionalProperties"] is { } additional)
        {
            result["additionalProperties"] = additional is JsonObject ? Read(additional, $"{path}/additionalProperties")
                : additional.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? additional.DeepClone()
                : throw Malformed(path, "has additionalProperties that are neither a schema nor a boolean");
        }

        return result;
    }

    private JsonObject ReadArray(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "array" };
        (int? least, int? most) = Range(schema, "minItems", "maxItems", path);
        string keyword = schema["items"] is JsonArray ? "items" : "prefixItems";
        if (schema.ContainsKey(keyword))
        {
            JsonArray items = Array(schema, keyword, path);
            _isAltered |= keyword == "prefixItems" && schema.ContainsKey("items");
            bool isClosed = schema[keyword == "items" ? "additionalItems" : "items"] is not { } rest || rest.GetValueKind() == JsonValueKind.False;
            if (least > items.Count || most < items.Count || !isClosed)
            {
                Refuse(path, "has items after, or fewer than, those that it lists: that cannot be enforced");
            }

            result[keyword] = ReadEach(items, $"{path}/{keyword}");
            return result;
        }

        if (schema["items"] is { } item)
        {
            result["items"] = Read(item, $"{path}/items");
        }

        return WithRange(result, "minItems", least, "maxItems", most);
    }

    private JsonObject ReadString(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "string" };
        (int? least, int? most) = Range(schema, "minLength", "maxLength", path);
        string? pattern = Text(schema, "pattern", path);
        string? format = Text(schema, "format", path);
        if (format is not (null or "date" or "time" or "date-time" or "uuid"))
        {
            Refuse(path, $"has the format '{format}', which cannot be enforced; date, time, date-time and uuid can");
            format = null;
        }

        if ((pattern is null ? 0 : 1) + (format is null ? 0 : 1) + (least is null && most is null ? 0 : 1) > 1)
        {
            Refuse(path, "has more than one of a pattern, a format and a length, of which only one can be enforced");
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
            _isAltered |= translated != pattern;
            return translated;
        }
        catch (FormatException error)
        {
            Refuse(path, $"has the pattern {pattern}, which cannot be enforced: {error.Message}");
            return null;
        }
    }

    private JsonObject ReadInteger(JsonObject schema, string path)
    {
        var result = new JsonObject { ["type"] = "integer" };
        decimal? least = Number(schema, "minimum", path);
        decimal? above = Number(schema, "exclusiveMinimum", path);
        decimal? most = Number(schema, "maximum", path);
        decimal? below = Number(schema, "exclusiveMaximum", path);
        decimal? bottom = Max(least is { } a ? Math.Ceiling(a) : null, above is { } b ? Math.Floor(b) + 1 : null);
        decimal? top = -Max(most is { } c ? -Math.Floor(c) : null, below is { } d ? 1 - Math.Ceiling(d) : null);
        _isAltered |= (least is not null && above is not null) || (most is not null && below is not null);
        if (bottom > top)
        {
            throw Malformed(path, "has a minimum above its maximum");
        }

        if (Number(schema, "multipleOf", path) is not (null or 1))
        {
            Refuse(path, "has the keyword 'multipleOf', which cannot be enforced");
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
        string[] bounds = [.. s_keywords["integer"].Where(schema.ContainsKey)];
        if (bounds.Length > 0)
        {
            Refuse(path, $"bounds a number by {string.Join(", ", bounds)}, which can be enforced for integers only");
        }

        return new JsonObject { ["type"] = "number" };
    }

    // A schema that has all of two: what stands beside a combination, and one of its parts.
    private JsonObject Join(JsonObject beside, JsonObject part, string path)
    {
        string[] keywords = Assertions(beside);
        if (keywords.Length == 0)
        {
            return part;
        }

        _isAltered = true;

        if (part.ContainsKey("$ref"))
        {
            RefuseBeside(path, "$ref", [.. keywords, "$ref"]);
            return part;
        }

        var result = (JsonObject)part.DeepClone();
        foreach (string keyword in keywords)
        {
            JsonNode? value = beside[keyword];
            switch (keyword)
            {
                case var _ when !result.ContainsKey(keyword):
                    result[keyword] = value?.DeepClone();
                    break;
                case "required" when value is JsonArray names && result[keyword] is JsonArray own:
                    result[keyword] = new JsonArray([.. names.Concat(own).Select(name => name?.DeepClone()).DistinctBy(name => name?.ToJsonString())]);
                    break;
                case "properties" when value is JsonObject more && result[keyword] is JsonObject own && !more.Any(property => own.ContainsKey(property.Key)):
                    result[keyword] = new JsonObject(more.Concat(own).Select(property => KeyValuePair.Create(property.Key, property.Value?.DeepClone())));
                    break;
                case "type":
                    string[] types = [.. Types(beside, path).Intersect(Types(part, path))];
                    result[keyword] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
                    break;
                default:
                    Refuse(path, $"has '{keyword}' both inside a combination and beside it: write them as one");
                    break;
            }
        }

        return result;
    }

    private JsonObject ReadEach(JsonObject schemas, string path)
    {
        var result = new JsonObject();
        foreach ((string name, JsonNode? schema) in schemas)
        {
            result[name] = Read(schema, $"{path}/{name}");
        }

        return result;
    }

    private JsonArray ReadEach(JsonArray schemas, string path) =>
        new([.. schemas.Select((schema, index) => (JsonNode)Read(schema, string.Create(CultureInfo.InvariantCulture, $"{path}/{index}")))]);

    private string Reference(JsonNode? node, string path)
    {
        string reference = node is JsonValue value && value.TryGetValue(out string? text) ? text : throw Malformed(path, "has a $ref that is no text");
        return reference switch
        {
            "#" => WholeSchema,
            _ when !reference.StartsWith("#/", StringComparison.Ordinal) =>
                throw Malformed(path, $"refers to '{reference}': only references into the schema itself, such as #/$defs/name, can be followed"),
            _ when _isWrapped => WholeSchema + reference[1..],
            _ => reference,
        };
    }

    private string[] Types(JsonObject schema, string path) => schema["type"] switch
    {
        null => [],
        JsonValue value when value.TryGetValue(out string? type) => [type],
        JsonArray { Count: > 0 } types when types.All(type => type is JsonValue it && it.GetValueKind() == JsonValueKind.String) =>
            [.. types.Select(type => (string)type!).Distinct()],
        _ => throw Malformed(path, "has a type that is neither a name nor a list of names"),
    };

    private JsonArray Array(JsonObject schema, string keyword, string path, bool mayBeEmpty = false) =>
        schema[keyword] is JsonArray array && (array.Count > 0 || mayBeEmpty) ? array : throw Malformed(path, $"has '{keyword}', which is no list, or an empty one");

    private string? Text(JsonObject schema, string keyword, string path) =>
        schema[keyword] is not { } node ? null
        : node is JsonValue value && value.TryGetValue(out string? text) ? text
        : throw Malformed(path, $"has '{keyword}', which is no text");

    private decimal? Number(JsonObject schema, string keyword, string path)
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

    private (int? Least, int? Most) Range(JsonObject schema, string leastKeyword, string mostKeyword, string path)
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

    private static string[] Assertions(JsonObject schema) => [.. schema.Select(keyword => keyword.Key).Where(s_known.Contains)];

    private static JsonObject Without(JsonObject schema, string keyword)
    {
        var result = (JsonObject)schema.DeepClone();
        result.Remove(keyword);
        return result;
    }

    private static bool RefersToRoot(JsonNode? node) => node switch
    {
        JsonObject schema => schema.Any(part => part.Key == "$ref" && part.Value is JsonValue value && value.TryGetValue(out string? text) && text == "#")
            || schema.Any(part => RefersToRoot(part.Value)),
        JsonArray parts => parts.Any(RefersToRoot),
        _ => false,
    };

    // The converter makes rules' names of them, by a regular expression that recurses for each character.
    private static void CheckNames(JsonNode? node, string what)
    {
        foreach ((string name, JsonNode? part) in node as JsonObject ?? [])
        {
            if (name.Length > MaxNameLength)
            {
                throw new ArgumentException(string.Create(
                    CultureInfo.InvariantCulture, $"{what} has a name of {name.Length} characters, '{name.AsSpan(0, 32)}…'; {MaxNameLength} are allowed."));
            }

            CheckNames(part, what);
        }

        foreach (JsonNode? part in node as JsonArray ?? [])
        {
            CheckNames(part, what);
        }
    }

    private void RefuseBeside(string path, string keyword, string[] keywords)
    {
        string[] others = [.. keywords.Except([keyword])];
        if (others.Length > 0)
        {
            Refuse(path, $"has {string.Join(", ", others)} beside {keyword}, where it cannot be enforced");
        }
    }

    private void Refuse(string path, string reason)
    {
        _isAltered = true;
        if (_isStrict)
        {
            throw Malformed(path, reason);
        }
    }

    private ArgumentException Malformed(string path, string reason) => new($"{_what} cannot be honoured: {path} {reason}.");
}
