namespace MoeOffload.Inference.Schemas;

/// <summary>Lists the keywords of JSON Schema.</summary>
internal static class SchemaKeywords
{
    /// <summary>The keywords that demand something of a value.</summary>
    public static readonly IReadOnlyDictionary<string, JsonKinds> Assertions = new Dictionary<string, JsonKinds>(StringComparer.Ordinal)
    {
        ["type"] = JsonKinds.All,
        ["enum"] = JsonKinds.All,
        ["const"] = JsonKinds.All,
        ["$ref"] = JsonKinds.All,
        ["$dynamicRef"] = JsonKinds.All,
        ["$recursiveRef"] = JsonKinds.All,
        ["allOf"] = JsonKinds.All,
        ["anyOf"] = JsonKinds.All,
        ["oneOf"] = JsonKinds.All,
        ["not"] = JsonKinds.All,
        ["if"] = JsonKinds.All,
        ["then"] = JsonKinds.All,
        ["else"] = JsonKinds.All,
        ["minimum"] = JsonKinds.Number,
        ["maximum"] = JsonKinds.Number,
        ["exclusiveMinimum"] = JsonKinds.Number,
        ["exclusiveMaximum"] = JsonKinds.Number,
        ["multipleOf"] = JsonKinds.Number,
        ["minLength"] = JsonKinds.String,
        ["maxLength"] = JsonKinds.String,
        ["pattern"] = JsonKinds.String,
        ["format"] = JsonKinds.String | JsonKinds.Number,
        ["items"] = JsonKinds.Array,
        ["additionalItems"] = JsonKinds.Array,
        ["prefixItems"] = JsonKinds.Array,
        ["unevaluatedItems"] = JsonKinds.Array,
        ["minItems"] = JsonKinds.Array,
        ["maxItems"] = JsonKinds.Array,
        ["uniqueItems"] = JsonKinds.Array,
        ["contains"] = JsonKinds.Array,
        ["minContains"] = JsonKinds.Array,
        ["maxContains"] = JsonKinds.Array,
        ["properties"] = JsonKinds.Object,
        ["patternProperties"] = JsonKinds.Object,
        ["additionalProperties"] = JsonKinds.Object,
        ["unevaluatedProperties"] = JsonKinds.Object,
        ["required"] = JsonKinds.Object,
        ["propertyNames"] = JsonKinds.Object,
        ["minProperties"] = JsonKinds.Object,
        ["maxProperties"] = JsonKinds.Object,
        ["dependentRequired"] = JsonKinds.Object,
        ["dependentSchemas"] = JsonKinds.Object,
        ["dependencies"] = JsonKinds.Object,
    };

    private static readonly HashSet<string> s_annotations = new(StringComparer.Ordinal)
    {
        "title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly", "$schema", "$id", "id", "$comment", "$anchor",
        "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$defs", "definitions", "contentEncoding", "contentMediaType", "contentSchema", "nullable", "xml",
    };

    /// <summary>Returns the keyword that an unknown one seems to be a misspelling of, or null.</summary>
    public static string? Misspelled(string name) =>
        Assertions.ContainsKey(name) || s_annotations.Contains(name) || name.Length < 5 || name.StartsWith("x-", StringComparison.Ordinal) ? null
        : Assertions.Keys.FirstOrDefault(keyword => keyword.Length >= 5 && IsClose(keyword, name));

    // Differs in case, or by one character that is missing, added or another one.
    private static bool IsClose(string keyword, string name)
    {
        if (string.Equals(keyword, name, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        int difference = name.Length - keyword.Length;
        if (difference is < -1 or > 1)
        {
            return false;
        }

        int start = 0;
        while (start < Math.Min(keyword.Length, name.Length) && keyword[start] == name[start])
        {
            start++;
        }

        return string.Equals(keyword[(start + (difference <= 0 ? 1 : 0))..], name[(start + (difference >= 0 ? 1 : 0))..], StringComparison.Ordinal);
    }
}
