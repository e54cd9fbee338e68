using System.Text.Json;
using Microsoft.Extensions.AI;
using MoeOffload.Chat;
using ChatFinishReason = Microsoft.Extensions.AI.ChatFinishReason;

namespace MoeOffload.Extensions.AI;

/// <summary>Maps answers onto the types of Microsoft.Extensions.AI.</summary>
internal static class ResponseMapping
{
    /// <summary>Maps the reasoning and the text of an answer, or of a part of it. Empty ones are left out.</summary>
    public static IEnumerable<AIContent> MapText(string? reasoning, string text)
    {
        if (!string.IsNullOrEmpty(reasoning))
        {
            yield return new TextReasoningContent(reasoning);
        }

        if (text.Length > 0)
        {
            yield return new TextContent(text);
        }
    }

    /// <summary>Maps complete calls. Arguments that were cut off are an exception in the content, which is not thrown.</summary>
    public static IEnumerable<AIContent> MapCalls(IReadOnlyList<ToolCall> calls) => calls.Select(call =>
    {
        FunctionCallContent content = FunctionCallContent.CreateFromParsedArguments(call.Arguments, call.Id, call.Name, ParseArguments);
        content.RawRepresentation = call;
        return content;
    });

    /// <summary>Maps the reason that an answer ended.</summary>
    public static ChatFinishReason? Map(Chat.ChatFinishReason? reason) => reason switch
    {
        null => null,
        Chat.ChatFinishReason.Length => ChatFinishReason.Length,
        Chat.ChatFinishReason.ToolCalls => ChatFinishReason.ToolCalls,
        _ => ChatFinishReason.Stop,
    };

    /// <summary>Maps the numbers of tokens.</summary>
    public static UsageDetails Map(GenerationStatistics? statistics) => statistics is null ? new UsageDetails() : new UsageDetails
    {
        InputTokenCount = statistics.PromptTokens,
        OutputTokenCount = statistics.GeneratedTokens,
        TotalTokenCount = statistics.PromptTokens + statistics.GeneratedTokens,
        CachedInputTokenCount = statistics.CachedPromptTokens,
    };

    private static IDictionary<string, object?>? ParseArguments(string json) => (IDictionary<string, object?>?)JsonSerializer.Deserialize(
        json, AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(IDictionary<string, object?>)));
}
