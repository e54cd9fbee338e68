using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Reads keywords whose form differs between the versions of JSON Schema, and references.</summary>
internal static class SchemaReferences
{
    /// <summary>Gets the keywords that refer to a schema.</summary>
    public static IReadOnlyList<string> Keywords { get; } = ["$ref", "$dynamicRef", "$recursiveRef"];

    /// <summary>Returns the schema that a reference leads to, or null if the keyword is missing or the schema is not in the document.</summary>
    public static SchemaNode? Find(SchemaNode schema, string keyword) =>
        schema.Text(keyword) is not { } reference ? null
        : keyword == "$ref" ? schema.Document.Resolve(schema, reference)
        : keyword == "$dynamicRef" ? schema.Document.ResolveDynamic(schema, reference)
        : reference == "#" && schema.Document.Resolve(schema, reference) is { } root && root.Get("$recursiveAnchor") is not { ValueKind: JsonValueKind.True } ? root
        : null;

    /// <summary>Returns the schemas of the first items, and that of the others, or null if there is none.</summary>
    public static (IReadOnlyList<SchemaNode> Prefix, SchemaNode? Others) Items(SchemaNode schema) =>
        schema.Get("items") is { ValueKind: JsonValueKind.Array }
            ? (schema.List("items") ?? [], schema.Child("additionalItems"))
            : (schema.List("prefixItems") ?? [], schema.Child("items"));

    /// <summary>Returns the parts of the keyword <c>dependencies</c>, each with either the names that a property requires or a schema.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<string>? Names, SchemaNode? Schema)> Dependencies(SchemaNode schema)
    {
        foreach (JsonProperty property in schema.Get("dependencies") is { ValueKind: JsonValueKind.Object } map ? map.EnumerateObject() : default)
        {
            SchemaNode? part = schema.Document.NodeAt($"{schema.At("dependencies")}/{SchemaDocument.Escape(property.Name)}", property.Value);
            yield return (property.Name, part is null ? NamesOf(property.Value) : null, part);
        }
    }

    /// <summary>Returns the names that each property requires, by <c>dependentRequired</c> and <c>dependencies</c>.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<string> Names)> DependentNames(SchemaNode schema)
    {
        foreach (JsonProperty property in schema.Get("dependentRequired") is { ValueKind: JsonValueKind.Object } map ? map.EnumerateObject() : default)
        {
            if (NamesOf(property.Value) is { } names)
            {
                yield return (property.Name, names);
            }
        }

        foreach ((string name, IReadOnlyList<string>? names, _) in Dependencies(schema))
        {
            if (names is not null)
            {
                yield return (name, names);
            }
        }
    }

    private static IReadOnlyList<string>? NamesOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(name => name.GetString()!)]
            : null;
}
