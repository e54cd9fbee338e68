using System.Globalization;
using System.Text.Json;

namespace MoeOffload.Inference.Schemas;

/// <summary>Represents a schema with all schemas inside it, and resolves references between them.</summary>
internal sealed class SchemaDocument
{
    private const string DefaultBase = "schema:/";

    private static readonly Dictionary<string, string[]> s_byShape = new(StringComparer.Ordinal)
    {
        ["schema"] = ["additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems", "items", "contains", "propertyNames", "not", "if", "then", "else"],
        ["list"] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"],
        ["map"] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"],
    };

    private readonly Dictionary<string, SchemaNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _bases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _resources = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _anchors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _dynamicAnchors = new(StringComparer.Ordinal);

    /// <summary>Initializes a new instance of the <see cref="SchemaDocument"/> class.</summary>
    /// <param name="root">The schema: an object or a boolean. It must not be disposed.</param>
    public SchemaDocument(JsonElement root)
    {
        Root = NodeAt("#", root)!;
        string? dialect = Root.Text("$schema");
        HidesSiblingsOfReferences = dialect?.Contains("/draft-0", StringComparison.Ordinal) == true;
        IsOfUnknownVersion = dialect is null;
        _resources[DefaultBase] = "#";
        Index(Root, DefaultBase);
        using var constants = JsonDocument.Parse("[true,false]");
        True = NodeAt("true", constants.RootElement[0].Clone())!;
        False = NodeAt("false", constants.RootElement[1].Clone())!;
    }

    /// <summary>Gets the whole schema.</summary>
    public SchemaNode Root { get; }

    /// <summary>Gets a schema that allows everything.</summary>
    public SchemaNode True { get; }

    /// <summary>Gets a schema that allows nothing.</summary>
    public SchemaNode False { get; }

    /// <summary>Gets a value that indicates whether keywords next to <c>$ref</c> are ignored, as in draft 7 and before.</summary>
    public bool HidesSiblingsOfReferences { get; }

    /// <summary>Gets a value that indicates whether the version of JSON Schema is not known, so that what differs between them must hold for all.</summary>
    public bool IsOfUnknownVersion { get; }

    /// <summary>Gets a value that indicates whether the keywords of contents can be demands, as up to draft 7.</summary>
    public bool ChecksContent => IsOfUnknownVersion || HidesSiblingsOfReferences;

    /// <summary>Escapes a name for a JSON pointer.</summary>
    public static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>Returns the schema at a location, or null if the JSON is not a schema.</summary>
    public SchemaNode? NodeAt(string pointer, JsonElement element)
    {
        if (element.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
        {
            return null;
        }

        lock (_nodes)
        {
            return _nodes.TryGetValue(pointer, out SchemaNode? known) ? known : _nodes[pointer] = new SchemaNode(this, _nodes.Count, pointer, element);
        }
    }

    /// <summary>Finds the schema that a reference leads to.</summary>
    /// <returns>The schema, or null if it is not in the document.</returns>
    public SchemaNode? Resolve(SchemaNode from, string reference)
    {
        if (IsOfUnknownVersion && from.Has("$ref") && from.Has("$id"))
        {
            return null;
        }

        int hash = reference.IndexOf('#', StringComparison.Ordinal);
        string location = hash < 0 ? reference : reference[..hash];
        string fragment = hash < 0 ? string.Empty : Uri.UnescapeDataString(reference[(hash + 1)..]);
        string? resource = location.Length == 0 ? BaseOf(from.Pointer) : Combine(BaseOf(from.Pointer), location);
        return resource is null || !_resources.TryGetValue(resource, out string? root) ? null
            : fragment.Length == 0 ? Find(root, string.Empty)
            : fragment[0] == '/' ? Find(root, fragment)
            : _anchors.TryGetValue($"{resource}#{fragment}", out string? anchor) ? Find(anchor, string.Empty)
            : null;
    }

    /// <summary>Finds the schema that a dynamic reference leads to, whatever referred to the schema that contains it.</summary>
    /// <returns>The schema, or null if it is not in the document, or depends on the reference.</returns>
    public SchemaNode? ResolveDynamic(SchemaNode from, string reference)
    {
        string name = reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..];
        return Resolve(from, reference) is { } target && (target.Text("$dynamicAnchor") != name || _dynamicAnchors.GetValueOrDefault(name) == 1) ? target : null;
    }

    private static string? Combine(string baseUri, string reference) =>
        Uri.TryCreate(baseUri, UriKind.Absolute, out Uri? origin) && Uri.TryCreate(origin, reference, out Uri? whole) ? whole.AbsoluteUri : null;

    private void Index(SchemaNode node, string baseUri)
    {
        bool isReference = HidesSiblingsOfReferences && node.Has("$ref");
        if (!isReference && (node.Text("$id") ?? (HidesSiblingsOfReferences ? node.Text("id") : null)) is { } id)
        {
            int hash = id.IndexOf('#', StringComparison.Ordinal);
            if (hash >= 0 && hash + 1 < id.Length)
            {
                _anchors.TryAdd($"{baseUri}{id[hash..]}", node.Pointer);
            }

            string location = hash < 0 ? id : id[..hash];
            if (location.Length > 0 && Combine(baseUri, location) is { } own)
            {
                baseUri = own;
                _resources.TryAdd(baseUri, node.Pointer);
            }
        }

        foreach (string keyword in (ReadOnlySpan<string>)["$anchor", "$dynamicAnchor"])
        {
            if (node.Text(keyword) is { } anchor)
            {
                _anchors.TryAdd($"{baseUri}#{anchor}", node.Pointer);
            }
        }

        if (node.Text("$dynamicAnchor") is { } name)
        {
            _dynamicAnchors[name] = _dynamicAnchors.GetValueOrDefault(name) + 1;
        }

        _bases[node.Pointer] = baseUri;
        foreach (SchemaNode child in ChildrenOf(node))
        {
            Index(child, baseUri);
        }
    }

    private static IEnumerable<SchemaNode> ChildrenOf(SchemaNode node)
    {
        if (!node.IsObject)
        {
            return [];
        }

        return s_byShape["schema"].Select(node.Child).OfType<SchemaNode>()
            .Concat(s_byShape["list"].SelectMany(keyword => node.List(keyword) ?? []))
            .Concat(s_byShape["map"].SelectMany(keyword => node.Get(keyword) is { ValueKind: JsonValueKind.Object } map
                ? map.EnumerateObject().Select(property => node.Document.NodeAt($"{node.At(keyword)}/{Escape(property.Name)}", property.Value)).OfType<SchemaNode>()
                : []));
    }

    private string BaseOf(string pointer)
    {
        while (!_bases.ContainsKey(pointer) && pointer.LastIndexOf('/') is var slash and > 0)
        {
            pointer = pointer[..slash];
        }

        return _bases.GetValueOrDefault(pointer, DefaultBase);
    }

    private SchemaNode? Find(string root, string path)
    {
        lock (_nodes)
        {
            if (_nodes.TryGetValue(root + path, out SchemaNode? known))
            {
                return known;
            }
        }

        JsonElement element = Root.Element;
        foreach (string token in (root[1..] + path).Split('/').Skip(1))
        {
            string name = token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member))
            {
                element = member;
            }
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < element.GetArrayLength())
            {
                element = element[index];
            }
            else
            {
                return null;
            }
        }

        return NodeAt(root + path, element);
    }
}
