using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Reads the tools, the tool choice and the output format of Anthropic's API.</summary>
internal static class AnthropicTools
{
    /// <summary>Reads the tools. Tools that Anthropic defines or runs are left out, because this server does not have them.</summary>
    /// <exception cref="ApiException">A tool is malformed.</exception>
    public static IReadOnlyList<ToolDefinition> ReadTools(JsonFields body)
    {
        var tools = new List<ToolDefinition>();
        foreach (JsonFields tool in ToolLimit.Check(body.Objects("tools")))
        {
            if (tool.Text("type") is not (null or "custom"))
            {
                tool.LeaveOut();
                continue;
            }

            tool.Know("cache_control", "strict", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming");
            var definition = new ToolDefinition { Name = tool.RequiredText("name"), Description = tool.Text("description") ?? string.Empty };
            tools.Add(tool.Any("input_schema") is { } schema ? definition with { Parameters = schema.GetRawText() } : throw tool.Missing("input_schema"));
        }

        return tools;
    }

    /// <summary>Reads the tool choice, and whether several tools can be called at once.</summary>
    /// <param name="body">The fields of the request.</param>
    /// <param name="tools">The tools that the model can call.</param>
    /// <exception cref="ApiException">The tool choice is malformed, or requires a tool that was left out.</exception>
    public static (ToolChoice Choice, bool? Parallel) ReadChoice(JsonFields body, IReadOnlyList<ToolDefinition> tools)
    {
        if (body.Object("tool_choice") is not { } choice)
        {
            return (ToolChoice.Auto, null);
        }

        bool? parallel = choice.Flag("disable_parallel_tool_use") == true ? false : null;
        string type = choice.Word("type", "auto", "any", "tool", "none") ?? throw choice.Missing("type");
        string? name = type == "tool" ? choice.RequiredText("name") : choice.Text("name");
        if ((type == "any" && tools.Count == 0) || (type == "tool" && !tools.Any(tool => tool.Name == name)))
        {
            throw ApiException.Invalid(
                "'tool_choice' requires the call of a tool that the request does not define, or that this server does not have. Define a tool of the type 'custom', or use another choice.",
                "tool_choice",
                "unsupported_tool");
        }

        return (type switch
        {
            "any" => ToolChoice.Required,
            "tool" => ToolChoice.Tool(name!),
            "none" => ToolChoice.None,
            _ => ToolChoice.Auto,
        }, parallel);
    }

    /// <summary>Reads the schema of the answer, under its present and its former name, and the reasoning effort.</summary>
    /// <exception cref="ApiException">The schema is malformed or not supported.</exception>
    public static (JsonSchema? Schema, string? Effort) ReadOutput(JsonFields body)
    {
        JsonFields? output = body.Object("output_config");
        string? effort = output?.Word("effort", "low", "medium", "high", "xhigh", "max");
        output?.Ignore("task_budget");
        JsonFields? format = output?.Object("format") ?? body.Object("output_format");
        if (format is null)
        {
            return (null, effort);
        }

        format.Know("name");
        if (format.RequiredText("type") != "json_schema")
        {
            throw ApiException.Invalid($"'{format.PathOf("type")}' must be json_schema.", format.PathOf("type"));
        }

        string text = (format.Any("schema") ?? throw format.Missing("schema")).GetRawText();
        return (ClientInput.Check(() => JsonSchema.ParseLenient(text), format.PathOf("schema"), "invalid_json_schema"), effort);
    }
}
