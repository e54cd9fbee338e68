using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Inference.Schemas;

namespace MoeOffload.Chat;

/// <summary>Represents the schema of a tool's parameters, in the forms that the model and the grammar need.</summary>
internal sealed class ToolSchema
{
    // llama.cpp makes rules of the names with a regular expression that recurses for each character.
    private const int MaxNameLength = 256;
    private const string NoParameters = """{"type":"object","properties":{}}""";

    private static readonly (JsonKinds Kind, string Type)[] s_types =
    [
        (JsonKinds.String, "string"), (JsonKinds.Number, "number"), (JsonKinds.Integer, "integer"), (JsonKinds.Boolean, "boolean"), (JsonKinds.Null, "null"),
        (JsonKinds.Array, "array"), (JsonKinds.Object, "object"),
    ];

    private readonly SchemaDocument _document;
    private readonly string _prefix;
    private readonly int _index;
    private readonly ConversionLimits _limits;
    private MemberConversion? _members;
    private SchemaConversion? _whole;

    /// <summary>Initializes a new instance of the <see cref="ToolSchema"/> class.</summary>
    /// <exception cref="ArgumentException">The parameters are not valid JSON, or neither an object nor a boolean.</exception>
    /// <param name="definition">The tool.</param>
    /// <param name="index">The index of the tool in its chat.</param>
    /// <param name="limits">The limits of all tools of the chat.</param>
    public ToolSchema(ToolDefinition definition, int index, ConversionLimits limits)
    {
        _limits = limits;
        Definition = definition;
        JsonElement root = SchemaText.Parse(definition.Parameters, $"The schema of the parameters of the tool '{definition.Name}'");
        _document = new SchemaDocument(root);
        Shown = root.ValueKind == JsonValueKind.Object ? JsonObject.Create(root)! : [];
        _index = index;
        _prefix = string.Create(CultureInfo.InvariantCulture, $"schema-of-tool-{index}-");
    }

    /// <summary>Gets the tool.</summary>
    public ToolDefinition Definition { get; }

    /// <summary>Gets the schema that the model sees.</summary>
    public JsonNode Shown { get; }

    /// <summary>Returns the tool without parameters, whose description has their schema.</summary>
    public ToolSchema Described() => new(
        Definition with { Description = $"{Definition.Description}\nParameters (JSON schema): {Definition.Parameters}".TrimStart(), Parameters = NoParameters }, _index, _limits);

    private MemberConversion Members => _members ??= MemberConversion.Of(_document, _prefix, _limits);

    /// <summary>Returns a schema whose rules take its place as a whole.</summary>
    public JsonNode Placeholder(EmbeddedSchemas schemas)
    {
        // A chat can be rendered more than once, and the conversion is the longest part of it.
        SchemaConversion conversion = _whole ??= SchemaConversion.Loosely(_document, _prefix, _limits);
        schemas.AddRules(conversion.Rules);
        return new JsonObject { ["type"] = "object", ["properties"] = new JsonObject(), ["const"] = schemas.Add(conversion.Root) };
    }

    /// <summary>Returns a schema of the names and types of the members, whose rules take the places of those that are not strings.</summary>
    /// <param name="schemas">The schemas of the request.</param>
    /// <param name="isPlain">Whether each member has one type, because the template cannot show others. Those of several types are strings.</param>
    public JsonNode ByMember(EmbeddedSchemas schemas, bool isPlain)
    {
        schemas.AddRules(Members.Rules);
        var properties = new JsonObject();
        JsonArray required = [];
        foreach (MemberConversion.Member member in Members.Members.Where(member => member.Name.Length <= MaxNameLength))
        {
            properties[member.Name] = SchemaOf(member, schemas, isPlain);
            if (member.IsRequired)
            {
                required.Add((JsonNode)member.Name);
            }
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
    }

    // Formats that write strings without quotation marks look at the types.
    private static JsonObject SchemaOf(MemberConversion.Member member, EmbeddedSchemas schemas, bool isPlain)
    {
        if (member.Root is null)
        {
            return isPlain ? OfType("string") : [];
        }

        string[] types =
        [
            .. s_types.Where(type => (member.Kinds & type.Kind) == type.Kind && (type.Type != "integer" || !member.Kinds.HasFlag(JsonKinds.Fraction))).Select(type => type.Type),
        ];
        if (types.Contains("string") || (isPlain && types.Length != 1))
        {
            return types.Length == 1 || isPlain ? OfType("string") : new JsonObject { ["anyOf"] = new JsonArray([.. types.Select(type => (JsonNode)OfType(type))]) };
        }

        JsonObject result = types.Length == 1 ? OfType(types[0]) : [];
        result["const"] = schemas.Add(member.Root);
        return result;
    }

    private static JsonObject OfType(string type) => type == "array" ? new() { ["type"] = type, ["items"] = new JsonObject { ["type"] = "string" } } : new() { ["type"] = type };
}
