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
        string? effort = fields.Word(name, "none", "minimal", "low", "medium", "high", "xhigh");
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
}
