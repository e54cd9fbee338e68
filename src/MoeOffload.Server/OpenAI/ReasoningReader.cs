using System.Text.Json.Nodes;
using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads how much a model is to think.</summary>
internal static class ReasoningReader
{
    /// <summary>Takes an effort into the options: <c>none</c> turns thinking off, and templates that know levels get the others.</summary>
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
