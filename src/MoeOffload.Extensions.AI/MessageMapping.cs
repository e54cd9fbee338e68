using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MoeOffload.Chat;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace MoeOffload.Extensions.AI;

/// <summary>Maps the messages of Microsoft.Extensions.AI onto those of a chat.</summary>
/// <remarks>
/// Names of authors, annotations, usage and errors of earlier answers have no influence on the next one and are left out. A result of a tool
/// becomes a message of its own, whichever message contains it.
/// </remarks>
internal static class MessageMapping
{
    // Models are trained on JSON without line breaks, which also has fewer tokens.
    private static readonly JsonSerializerOptions s_json = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <summary>Maps messages.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="instructions">The text of a system message before all others, or null.</param>
    /// <exception cref="NotSupportedException">A message has a role or content that no model can process.</exception>
    /// <exception cref="ImageFormatException">An image is empty or too large.</exception>
    public static List<Chat.ChatMessage> Map(IEnumerable<ChatMessage> messages, string? instructions = null)
    {
        List<Chat.ChatMessage> mapped = [];
        if (!string.IsNullOrEmpty(instructions))
        {
            mapped.Add(Chat.ChatMessage.System(instructions));
        }

        Dictionary<string, ToolCall> calls = [];
        foreach (ChatMessage message in messages)
        {
            ArgumentNullException.ThrowIfNull(message, nameof(messages));
            Add(mapped, message, calls);
        }

        return mapped;
    }

    private static void Add(List<Chat.ChatMessage> mapped, ChatMessage message, Dictionary<string, ToolCall> calls)
    {
        var text = new StringBuilder();
        List<ChatPart> parts = [];
        var reasoning = new StringBuilder();
        List<ToolCall> made = [];
        int results = 0;
        foreach (AIContent content in message.Contents)
        {
            switch (content)
            {
                case TextContent part:
                    text.Append(part.Text);
                    break;
                case TextReasoningContent part:
                    reasoning.Append(part.Text);
                    break;
                case DataContent data when data.HasTopLevelMediaType("text"):
                    text.Append(Encoding.UTF8.GetString(data.Data.Span));
                    break;
                case DataContent data when data.HasTopLevelMediaType("image"):
                    AddText();
                    parts.Add(PromptImage.FromBytes(data.Data.Span));
                    break;
                case FunctionCallContent call:
                    ToolCall toolCall = Map(call);
                    made.Add(toolCall);
                    calls[toolCall.Id] = toolCall;
                    break;
                case FunctionResultContent result:
                    mapped.Add(Map(result, calls));
                    results++;
                    break;
                case UsageContent or ErrorContent:
                    break;
                default:
                    throw new NotSupportedException(
                        $"A message contains {Describe(content)}, but models read only text and images whose data is a part of the message. Remove it, or replace it with a description.");
            }
        }

        // A message with nothing but results of tools has been mapped.
        if (results == 0 || text.Length > 0 || parts.Count > 0 || reasoning.Length > 0 || made.Count > 0)
        {
            var plain = new Chat.ChatMessage
            {
                Role = Map(message.Role),
                Content = text.ToString(),
                ReasoningContent = reasoning.Length > 0 ? reasoning.ToString() : null,
                ToolCalls = made,
            };
            if (parts.Count > 0)
            {
                AddText();
                plain = plain with { Parts = parts };
            }

            mapped.Add(plain);
        }

        void AddText()
        {
            if (text.Length > 0)
            {
                parts.Add(text.ToString());
                text.Clear();
            }
        }
    }

    private static Chat.ChatRole Map(ChatRole role) => role.Value switch
    {
        "system" => Chat.ChatRole.System,
        "developer" => Chat.ChatRole.Developer,
        "user" => Chat.ChatRole.User,
        "assistant" => Chat.ChatRole.Assistant,
        "tool" => Chat.ChatRole.Tool,
        _ => throw new NotSupportedException($"'{role.Value}' is not a role that chat templates have. Use system, developer, user, assistant or tool."),
    };

    private static ToolCall Map(FunctionCallContent call) => new()
    {
        Id = call.CallId,
        Name = call.Name,
        Arguments = call.Arguments is { } arguments
            ? JsonSerializer.Serialize(arguments, s_json.GetTypeInfo(typeof(IDictionary<string, object?>)))
            : "{}",
    };

    private static Chat.ChatMessage Map(FunctionResultContent result, Dictionary<string, ToolCall> calls) => new()
    {
        Role = Chat.ChatRole.Tool,
        ToolCallId = result.CallId,
        ToolName = calls.GetValueOrDefault(result.CallId)?.Name,
        Content = result.Result switch
        {
            null => string.Empty,
            string text => text,
            TextContent text => text.Text,
            { } value => JsonSerializer.Serialize(value, s_json.GetTypeInfo(typeof(object))),
        },
    };

    private static string Describe(AIContent content) => content switch
    {
        DataContent data => $"data of the type {data.MediaType}",
        UriContent uri => $"a link to data of the type {uri.MediaType}",
        _ => $"a {content.GetType().Name}",
    };
}
