using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the tools, the tool choice, and the response format.</summary>
internal static class ToolReader
{
    private const string AnyObject = """{"type":"object","additionalProperties":true}""";

    /// <summary>Reads the tools.</summary>
    /// <param name="body">The fields of the request.</param>
    /// <param name="isFlat">Whether the fields of a function are next to its type, as in <c>/v1/responses</c>, instead of inside <c>function</c>.</param>
    public static IReadOnlyList<ToolDefinition> ReadTools(JsonFields body, bool isFlat) => [.. body.Objects("tools").Select(tool => ReadTool(tool, isFlat))];

    /// <summary>Reads the tool choice.</summary>
    /// <inheritdoc cref="ReadTools"/>
    public static ToolChoice ReadChoice(JsonFields body, bool isFlat)
    {
        switch (body.Any("tool_choice"))
        {
            case null:
                return ToolChoice.Auto;
            case { ValueKind: JsonValueKind.String }:
                return body.Word("tool_choice", "none", "auto", "required") switch
                {
                    "none" => ToolChoice.None,
                    "required" => ToolChoice.Required,
                    _ => ToolChoice.Auto,
                };
            default:
                JsonFields choice = body.Object("tool_choice")!;
                CheckType(choice);
                JsonFields function = isFlat ? choice : choice.Object("function") ?? throw choice.Missing("function");
                return function.RequiredText("name") is { Length: > 0 } name
                    ? ToolChoice.Tool(name)
                    : throw ApiException.Invalid($"'{function.PathOf("name")}' is empty.", function.PathOf("name"));
        }
    }

    /// <summary>Reads the response format: <c>text</c>, <c>json_object</c> or <c>json_schema</c>.</summary>
    /// <param name="format">The format, or <see langword="null"/> for text.</param>
    /// <param name="isFlat">Whether the schema is next to its type, as in <c>/v1/responses</c>, instead of inside <c>json_schema</c>.</param>
    public static JsonSchema? ReadFormat(JsonFields? format, bool isFlat)
    {
        if (format is null)
        {
            return null;
        }

        format.RequiredText("type");
        switch (format.Word("type", "text", "json_object", "json_schema"))
        {
            case "json_object":
                return Parse(AnyObject, format.PathOf("type"));
            case "json_schema":
                JsonFields named = isFlat ? format : format.Object("json_schema") ?? throw format.Missing("json_schema");
                JsonFields schema = named.Object("schema") ?? throw named.Missing("schema");
                return Parse(schema.Element.GetRawText(), named.PathOf("schema"), named.Flag("strict") == true);
            default:
                return null;
        }
    }

    // As in OpenAI's API, only a strict schema must be held exactly.
    private static JsonSchema Parse(string schema, string path, bool isStrict = true) =>
        ClientInput.Check(() => isStrict ? JsonSchema.Parse(schema) : JsonSchema.ParseLenient(schema), path, "invalid_json_schema");

    private static ToolDefinition ReadTool(JsonFields tool, bool isFlat)
    {
        CheckType(tool);
        JsonFields function = isFlat ? tool : tool.Object("function") ?? throw tool.Missing("function");
        var definition = new ToolDefinition { Name = function.RequiredText("name"), Description = function.Text("description") ?? string.Empty };
        return function.Object("parameters") is { } parameters ? definition with { Parameters = parameters.Element.GetRawText() } : definition;
    }

    private static void CheckType(JsonFields tool)
    {
        tool.RequiredText("type");
        tool.Word("type", "function");
    }
}
