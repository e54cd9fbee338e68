using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the tools, the tool choice, and the response format.</summary>
internal static class ToolReader
{
    /// <summary>Gets the schema of <c>json_object</c>.</summary>
    public static JsonSchema AnyObject { get; } = JsonSchema.Parse("""{"type":"object","additionalProperties":true}""");

    /// <summary>Reads the tools and the tool choice. Tools that OpenAI itself runs are left out, because this server does not have them.</summary>
    /// <param name="body">The fields of the request.</param>
    /// <param name="isFlat">Whether the fields of a function are next to its type, as in <c>/v1/responses</c>, instead of inside <c>function</c>.</param>
    /// <exception cref="ApiException">A tool is malformed, or the choice requires a tool that was left out.</exception>
    public static ToolList Read(JsonFields body, bool isFlat)
    {
        var definitions = new List<ToolDefinition>();
        var custom = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonFields tool in ToolLimit.Check(body.Objects("tools")))
        {
            string type = tool.RequiredText("type");
            if (type is not ("function" or "custom"))
            {
                tool.LeaveOut();
                continue;
            }

            tool.Know("strict", "defer_loading", "cache_control");
            JsonFields described = isFlat ? tool : tool.Object(type) ?? throw tool.Missing(type);
            described.Know("strict");
            ToolDefinition definition = type == "custom" ? CustomTools.Read(described) : ReadFunction(described);
            definitions.Add(definition);
            if (type == "custom")
            {
                custom.Add(definition.Name);
            }
        }

        (ToolChoice choice, IReadOnlySet<string>? allowed) = ReadChoice(body, isFlat);
        ToolDefinition[] callable = [.. definitions.Where(tool => allowed?.Contains(tool.Name) != false)];
        return choice != ToolChoice.Required || callable.Length > 0 || !body.Has("tools")
            ? new ToolList(callable, choice, custom)
            : throw ApiException.Invalid("'tool_choice' requires a call, but this server has none of the tools. Use functions, or another choice.", "tool_choice", "unsupported_tool");
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
                // The servers of llama.cpp and others also accept a schema here.
                return format.Any("schema") is { } given ? Parse(given.GetRawText(), format.PathOf("schema")) : AnyObject;
            case "json_schema":
                JsonFields named = isFlat ? format : format.Object("json_schema") ?? throw format.Missing("json_schema");
                named.Know("name", "description");
                return Parse((named.Any("schema") ?? throw named.Missing("schema")).GetRawText(), named.PathOf("schema"), named.Flag("strict") == true);
            default:
                return null;
        }
    }

    /// <summary>Parses a schema. As in OpenAI's API, only a strict one must be held exactly.</summary>
    /// <exception cref="ApiException">The schema is malformed or not supported.</exception>
    public static JsonSchema Parse(string schema, string path, bool isStrict = false) =>
        ClientInput.Check(() => isStrict ? JsonSchema.Parse(schema) : JsonSchema.ParseLenient(schema), path, "invalid_json_schema");

    private static (ToolChoice Choice, IReadOnlySet<string>? Allowed) ReadChoice(JsonFields body, bool isFlat)
    {
        switch (body.Any("tool_choice"))
        {
            case null:
                return (ToolChoice.Auto, null);
            case { ValueKind: JsonValueKind.String }:
                return (ReadMode(body, "tool_choice"), null);
            default:
                JsonFields choice = body.Object("tool_choice")!;
                string type = choice.RequiredText("type");
                return type switch
                {
                    "function" or "custom" => (ToolChoice.Tool(ReadName(isFlat ? choice : choice.Object(type) ?? throw choice.Missing(type))), null),
                    "allowed_tools" => ReadAllowed(choice.Object("allowed_tools") ?? choice, isFlat),
                    "auto" => (ToolChoice.Auto, null),
                    "none" => (ToolChoice.None, null),
                    "required" or "any" => (ToolChoice.Required, null),
                    _ => throw ApiException.Invalid(
                        $"'{choice.PathOf("type")}' must be function, custom or allowed_tools: this server has no other kinds of tools.", choice.PathOf("type"), "unsupported_tool"),
                };
        }
    }

    private static (ToolChoice Choice, IReadOnlySet<string>? Allowed) ReadAllowed(JsonFields allowed, bool isFlat)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonFields tool in allowed.Objects("tools"))
        {
            string type = tool.RequiredText("type");
            if (type is "function" or "custom")
            {
                names.Add(ReadName(isFlat ? tool : tool.Object(type) ?? tool));
            }
            else
            {
                tool.LeaveOut();
            }
        }

        return (ReadMode(allowed, "mode"), names);
    }

    private static ToolChoice ReadMode(JsonFields fields, string name) => fields.Word(name, "none", "auto", "required", "any") switch
    {
        "none" => ToolChoice.None,
        "required" or "any" => ToolChoice.Required,
        _ => ToolChoice.Auto,
    };

    private static string ReadName(JsonFields fields) => fields.RequiredText("name") is { Length: > 0 } name
        ? name
        : throw ApiException.Invalid($"'{fields.PathOf("name")}' is empty.", fields.PathOf("name"));

    private static ToolDefinition ReadFunction(JsonFields function)
    {
        var definition = new ToolDefinition { Name = function.RequiredText("name"), Description = function.Text("description") ?? string.Empty };
        return function.Any("parameters") is { } parameters ? definition with { Parameters = parameters.GetRawText() } : definition;
    }
}
