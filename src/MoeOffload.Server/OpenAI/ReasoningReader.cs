using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the reasoning effort.</summary>
internal static class ReasoningReader
{
    /// <summary>Applies an effort to the options: <c>none</c> turns reasoning off; any other level is passed to the chat template.</summary>
    public static ChatOptions Apply(ChatOptions options, JsonFields fields, string name)
    {
        string? effort = fields.Word(name, "none", "minimal", "low", "medium", "high", "xhigh", "max");
        return effort switch
        {
            null => options,
            "none" => options with { Reasoning = false },
            _ => options with
            {
                TemplateArguments = new Dictionary<string, JsonNode?>(options.TemplateArguments) { ["reasoning_effort"] = effort },
            },
        };
    }

    /// <summary>
    /// Applies the fields with which clients of other servers turn reasoning on or off: <c>enable_thinking</c>, <c>thinking</c>,
    /// <c>reasoning</c>, and <c>enable_thinking</c> among the arguments of the chat template.
    /// </summary>
    public static ChatOptions ApplySwitches(ChatOptions options, JsonFields body)
    {
        bool? wanted = body.Flag("enable_thinking") ?? ReadArgument(options);
        if (body.Any("thinking") is { ValueKind: JsonValueKind.Object })
        {
            JsonFields thinking = body.Object("thinking")!;
            thinking.Ignore("budget_tokens", "clear_thinking", "include_thoughts", "display");
            wanted = (thinking.Word("type", "enabled", "disabled", "auto", "adaptive") ?? "enabled") != "disabled";
        }
        else
        {
            wanted = body.Flag("thinking") ?? wanted;
        }

        if (body.Any("reasoning") is { ValueKind: JsonValueKind.Object })
        {
            JsonFields reasoning = body.Object("reasoning")!;
            options = Apply(options, reasoning, "effort");
            reasoning.Ignore("max_tokens", "exclude", "summary", "generate_summary");
            wanted = reasoning.Flag("enabled") ?? wanted;
        }
        else
        {
            wanted = body.Flag("reasoning") ?? wanted;
        }

        return wanted is { } reasons ? options with { Reasoning = reasons } : options;
    }

    private static bool? ReadArgument(ChatOptions options) =>
        options.TemplateArguments.GetValueOrDefault("enable_thinking") is JsonValue value && value.TryGetValue(out bool enabled) ? enabled : null;
}
