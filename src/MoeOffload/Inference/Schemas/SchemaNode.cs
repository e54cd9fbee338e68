using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents a schema inside a document. There is one instance for each location.</summary>
internal sealed class SchemaNode(SchemaDocument document, int id, string pointer, JsonElement element)
{
    private HashSet<string>? _enumeration;

    /// <summary>Gets the document that contains the schema.</summary>
    public SchemaDocument Document => document;

    /// <summary>Gets the number of the schema in its document.</summary>
    public int Id => id;

    /// <summary>Gets the location, as a JSON pointer that starts with <c>#</c>.</summary>
    public string Pointer => pointer;

    /// <summary>Gets the JSON of the schema.</summary>
    public JsonElement Element => element;

    /// <summary>Gets the number of parts of which something is done whenever the schema is applied: keywords, names, listed values and long texts.</summary>
    public int Weight { get; } = WeightOf(pointer, element);

    /// <summary>Gets a value that indicates whether the schema is an object with keywords.</summary>
    public bool IsObject => element.ValueKind == JsonValueKind.Object;

    /// <summary>Gets a value that indicates whether the schema is <c>true</c> or an empty object.</summary>
    public bool IsTrue => element.ValueKind == JsonValueKind.True || (IsObject && element.GetPropertyCount() == 0);

    /// <summary>Gets a value that indicates whether the schema is <c>false</c>.</summary>
    public bool IsFalse => element.ValueKind == JsonValueKind.False;

    private static int WeightOf(string pointer, JsonElement element)
    {
        const int Long = 64;
        int weight = pointer.Length / Long;
        foreach (JsonProperty property in element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : default)
        {
            weight += 1 + property.Value.ValueKind switch
            {
                JsonValueKind.Array => property.Value.GetArrayLength(),
                JsonValueKind.Object => property.Value.GetPropertyCount(),
                JsonValueKind.String => property.Value.GetRawText().Length / Long,
                _ => 0,
            };
        }

        return weight;
    }

    /// <summary>Returns the location of a keyword.</summary>
    public string At(string keyword) => $"{pointer}/{SchemaDocument.Escape(keyword)}";

    /// <summary>Returns the value of a keyword, or null if it is missing.</summary>
    public JsonElement? Get(string keyword) => IsObject && element.TryGetProperty(keyword, out JsonElement value) ? value : null;

    /// <summary>Determines whether the schema has a keyword.</summary>
    public bool Has(string keyword) => Get(keyword) is not null;

    /// <summary>Returns the schema that is the value of a keyword, or null if it is missing or not a schema.</summary>
    public SchemaNode? Child(string keyword) => Get(keyword) is { } value ? document.NodeAt(At(keyword), value) : null;

    /// <summary>Returns the named schemas of a keyword, without parts that are not schemas.</summary>
    public IReadOnlyList<(string Name, SchemaNode Schema)> Map(string keyword)
    {
        List<(string, SchemaNode)> result = [];
        foreach (JsonProperty property in Get(keyword) is { ValueKind: JsonValueKind.Object } value ? value.EnumerateObject() : default)
        {
            if (document.NodeAt($"{At(keyword)}/{SchemaDocument.Escape(property.Name)}", property.Value) is { } node)
            {
                result.Add((property.Name, node));
            }
        }

        return result;
    }

    /// <summary>Determines whether a keyword is missing, or its value is an object of schemas.</summary>
    public bool IsMap(string keyword) => Get(keyword) is not { } value || (value.ValueKind == JsonValueKind.Object && Map(keyword).Count == value.GetPropertyCount());

    /// <summary>Returns the listed schemas of a keyword. It is empty if the keyword is missing, and null if it is not valid.</summary>
    public IReadOnlyList<SchemaNode>? List(string keyword)
    {
        if (Get(keyword) is not { } value)
        {
            return [];
        }

        List<SchemaNode> result = [];
        foreach (JsonElement part in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : default)
        {
            if (document.NodeAt(string.Create(CultureInfo.InvariantCulture, $"{At(keyword)}/{result.Count}"), part) is not { } node)
            {
                return null;
            }

            result.Add(node);
        }

        return value.ValueKind == JsonValueKind.Array ? result : null;
    }

    /// <summary>Returns the strings that a keyword lists. It is empty if the keyword is missing, and null if it is not valid.</summary>
    public IReadOnlyList<string>? Names(string keyword) =>
        Get(keyword) is not { } value ? []
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(name => name.GetString()!).Distinct()]
        : null;

    /// <summary>Returns the kinds of values that the keyword <c>type</c> allows: all if it is missing, and null if it is not valid.</summary>
    public JsonKinds? Kinds()
    {
        switch (Get("type"))
        {
            case null:
                return JsonKinds.All;
            case { ValueKind: JsonValueKind.String } name:
                return JsonValues.KindsOf(name.GetString());
            case { ValueKind: JsonValueKind.Array } names when names.GetArrayLength() > 0:
                JsonKinds all = JsonKinds.None;
                foreach (JsonElement name in names.EnumerateArray())
                {
                    if (name.ValueKind != JsonValueKind.String || JsonValues.KindsOf(name.GetString()) is not { } kinds)
                    {
                        return null;
                    }

                    all |= kinds;
                }

                return all;
            default:
                return null;
        }
    }

    /// <summary>Returns the text of a keyword, or null if it is missing or not a string.</summary>
    public string? Text(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>Returns the number of a keyword, or null if it is missing or not a number.</summary>
    public ExactNumber? Number(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.Number } value ? JsonValues.NumberOf(value) : null;

    /// <summary>Returns the count of a keyword, or null if it is missing or not a non-negative integer.</summary>
    public int? Count(string keyword) =>
        Number(keyword) is { IsWhole: true, Mantissa.Sign: >= 0 } number
            ? (number.Length > 9 ? int.MaxValue : int.Parse(number.Split().Whole, CultureInfo.InvariantCulture))
            : null;

    /// <summary>Determines whether a value is in <c>enum</c>. The schema must have the keyword.</summary>
    public bool Lists(JsonElement value) =>
        (_enumeration ??= [.. Get("enum")!.Value.EnumerateArray().Select(JsonValues.KeyOf)]).Contains(JsonValues.KeyOf(value));

    /// <summary>Returns the allowed values, by <c>const</c> and <c>enum</c>, or null if they are not limited.</summary>
    public IReadOnlyList<JsonElement>? Values() =>
        Get("const") is { } only ? [only]
        : Get("enum") is { ValueKind: JsonValueKind.Array } values ? [.. values.EnumerateArray()]
        : null;
}
