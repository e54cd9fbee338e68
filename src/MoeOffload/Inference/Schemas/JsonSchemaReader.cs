using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Rewrites a schema so that llama.cpp's converter ignores nothing in it. Keywords that cannot be expressed are rejected, or left out if
/// the schema is only a hint for the model.
/// </summary>
internal sealed class JsonSchemaReader
{
    private const string WholeSchema = "#/$defs/schema";

    private static readonly HashSet<string> s_annotations = new(StringComparer.Ordinal)
    {
        "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "$comment", "$anchor", "$defs", "definitions",
    };

    private static readonly HashSet<string> s_known = new(
        TypedSchemaReader.ByType.Values.SelectMany(names => names).Concat(["type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"]), StringComparer.Ordinal);

    private readonly JsonObject _root;
    private readonly bool _isStrict;
    private readonly SchemaKeywords _keywords;
    private readonly TypedSchemaReader _typed;
    private readonly bool _isWrapped;
    private bool _isAltered;

    private JsonSchemaReader(JsonObject root, bool isStrict, string what)
    {
        _root = root;
        _isStrict = isStrict;
        _keywords = new SchemaKeywords(what);
        _typed = new TypedSchemaReader(this, _keywords);
        _isWrapped = RefersToRoot(root);
        _isAltered = _isWrapped;
    }

    /// <summary>Rewrites a schema that must be enforced completely.</summary>
    /// <exception cref="ArgumentException">The schema cannot be enforced. The message names the location and the reason.</exception>
    public static JsonObject Strictly(JsonObject schema, string what) => new JsonSchemaReader(schema, isStrict: true, what).Read();

    /// <summary>Rewrites a schema so that as much of it as possible is enforced.</summary>
    /// <returns>The schema itself if all of it can be enforced without changes.</returns>
    /// <exception cref="ArgumentException">The schema is not valid.</exception>
    public static JsonObject Loosely(JsonObject schema, string what)
    {
        var reader = new JsonSchemaReader(schema, isStrict: false, what);
        JsonObject result = reader.Read();
        return reader._isAltered ? result : schema;
    }

    // The converter supports only references to parts of the schema.
    private JsonObject Read()
    {
        JsonObject schema = Read(_root, "#");
        return _isWrapped
            ? new JsonObject { ["$defs"] = new JsonObject { ["schema"] = schema }, ["$ref"] = WholeSchema }
            : schema;
    }

    /// <summary>Rewrites a subschema.</summary>
    internal JsonObject Read(JsonNode? node, string path)
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

        JsonObject schema = node as JsonObject ?? throw _keywords.Malformed(path, "is not a schema; an object is expected");
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
        JsonArray parts = _keywords.Array(schema, "allOf", path);
        if (parts.Count == 1 && parts[0] is JsonObject only)
        {
            _isAltered = true;
            return ReadBody(Join(Without(schema, "allOf"), only, $"{path}/allOf/0"), path);
        }

        Refuse(path, "combines several schemas with allOf, which cannot be enforced exactly; merge them into one");
        return new JsonObject { ["allOf"] = ReadEach(parts, $"{path}/allOf") };
    }

    private JsonObject ReadAlternatives(JsonObject schema, string path)
    {
        string keyword = schema.ContainsKey("oneOf") ? "oneOf" : "anyOf";
        if (keyword == "oneOf" && schema.ContainsKey("anyOf"))
        {
            Refuse(path, "has both anyOf and oneOf; use only one of them");
        }

        JsonObject beside = Without(Without(schema, "oneOf"), "anyOf");
        JsonArray alternatives = [];
        int index = 0;
        foreach (JsonNode? alternative in _keywords.Array(schema, keyword, path))
        {
            string at = $"{path}/{keyword}/{index++}";
            alternatives.Add((JsonNode)Read(alternative is JsonObject one ? Join(beside, one, at) : alternative, at));
        }

        if (keyword == "oneOf" && _isStrict && !new SchemaAlternatives(_root).ExcludeEachOther(alternatives))
        {
            Refuse($"{path}/oneOf", "has alternatives that can match at the same time, for which oneOf cannot be enforced; use anyOf");
        }

        return new JsonObject { [keyword] = alternatives };
    }

    private JsonObject ReadEnum(JsonObject schema, string path, string[] keywords)
    {
        RefuseBeside(path, "enum", [.. keywords.Except(["type"])]);
        string[] types = _keywords.Types(schema, path);
        JsonNode?[] values =
        [
            .. _keywords.Array(schema, "enum", path).Where(value => types.Length == 0 || types.Any(type => SchemaAlternatives.IsOf(value, type)))
                .Select(value => value?.DeepClone()),
        ];
        _isAltered |= values.Length != _keywords.Array(schema, "enum", path).Count;
        return values.Length > 0
            ? new JsonObject { ["enum"] = new JsonArray(values) }
            : throw _keywords.Malformed(path, "has an enum without any value of its type");
    }

    private JsonObject ReadTypes(JsonObject schema, string path, string[] keywords)
    {
        string[] types = _keywords.Types(schema, path);
        if (types.Length == 0)
        {
            string[] meant = [.. TypedSchemaReader.ByType.Where(type => type.Value.Any(keywords.Contains)).Select(type => type.Key)];
            if (meant.Length > 1 || meant is ["integer"])
            {
                Refuse(path, $"has no type, but has keywords of {string.Join(" and ", meant)}; add the type");
            }

            return meant.Length == 0 || meant is ["integer"] ? [] : _typed.Read(schema, meant[0], path);
        }

        // Several types stay in one schema, so that references to its parts remain valid.
        var result = new JsonObject();
        foreach ((string keyword, JsonNode? part) in types.SelectMany(type => _typed.Read(schema, type, path)))
        {
            result[keyword] = part?.DeepClone();
        }

        result["type"] = types.Length == 1 ? types[0] : new JsonArray([.. types.Select(type => (JsonNode)type)]);
        return result;
    }

    // Merges the keywords beside a combination (such as anyOf) with one of its parts.
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
                    string[] types = [.. _keywords.Types(beside, path).Intersect(_keywords.Types(part, path))];
                    result[keyword] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
                    break;
                default:
                    Refuse(path, $"has '{keyword}' both in a combination and next to it; merge them into one");
                    break;
            }
        }

        return result;
    }

    /// <summary>Rewrites named subschemas.</summary>
    internal JsonObject ReadEach(JsonObject schemas, string path)
    {
        var result = new JsonObject();
        foreach ((string name, JsonNode? schema) in schemas)
        {
            result[name] = Read(schema, $"{path}/{name}");
        }

        return result;
    }

    /// <summary>Rewrites a list of subschemas.</summary>
    internal JsonArray ReadEach(JsonArray schemas, string path) =>
        new([.. schemas.Select((schema, index) => (JsonNode)Read(schema, string.Create(CultureInfo.InvariantCulture, $"{path}/{index}")))]);

    private string Reference(JsonNode? node, string path)
    {
        string reference = node is JsonValue value && value.TryGetValue(out string? text) ? text : throw _keywords.Malformed(path, "has a $ref that is not a string");
        return reference switch
        {
            "#" => WholeSchema,
            _ when !reference.StartsWith("#/", StringComparison.Ordinal) =>
                throw _keywords.Malformed(path, $"refers to '{reference}': only references within the schema, such as #/$defs/name, are supported"),
            _ when _isWrapped => WholeSchema + reference[1..],
            _ => reference,
        };
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

    /// <summary>Records whether the result differs from the schema.</summary>
    internal void Alter(bool isDifferent) => _isAltered |= isDifferent;

    private void RefuseBeside(string path, string keyword, string[] keywords)
    {
        string[] others = [.. keywords.Except([keyword])];
        if (others.Length > 0)
        {
            Refuse(path, $"has {string.Join(", ", others)} next to {keyword}, where it cannot be enforced");
        }
    }

    /// <summary>Rejects a keyword that cannot be enforced. If the schema is only a hint, the keyword is left out instead.</summary>
    internal void Refuse(string path, string reason)
    {
        _isAltered = true;
        if (_isStrict)
        {
            throw _keywords.Malformed(path, reason);
        }
    }
}
