using System.Text;
using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Reads Anthropic's messages. Their content is a text or a list of blocks, and tool results are blocks of a user message.</summary>
internal static class AnthropicChat
{
    /// <summary>Reads the system text and the messages.</summary>
    /// <exception cref="ApiException">A message is malformed, or has unsupported content.</exception>
    public static IReadOnlyList<ChatMessage> ReadMessages(JsonFields body)
    {
        var messages = new List<ChatMessage>();
        if (body.Any("system") is { } system && ReadText(system, "system") is { Length: > 0 } text)
        {
            messages.Add(ChatMessage.System(text));
        }

        if (body.Items("messages") is not { Count: > 0 })
        {
            throw body.Has("messages") ? ApiException.Invalid("'messages' is empty: add one.", "messages") : body.Missing("messages");
        }

        var calls = new Dictionary<string, string>(StringComparer.Ordinal);
        string last = string.Empty;
        foreach (JsonFields message in body.Objects("messages"))
        {
            last = message.Word("role", "user", "assistant", "system") ?? throw message.Missing("role");
            JsonElement content = message.Any("content") ?? throw message.Missing("content");
            string path = message.PathOf("content");
            switch (last)
            {
                case "system":
                    Append(messages, ChatRole.System, ReadText(content, path));
                    break;
                case "user":
                    ReadUser(messages, content, path, calls);
                    break;
                default:
                    ReadAssistant(messages, content, path, calls);
                    break;
            }
        }

        return last != "assistant"
            ? messages
            : throw ApiException.Invalid(
                "The last message has the role 'assistant', and this server does not continue a partial answer. End the chat with a user message.", "messages", "prefill_unsupported");
    }

    /// <summary>Reads the tools. Tools that Anthropic itself runs are not supported.</summary>
    /// <exception cref="ApiException">A tool is malformed or not supported.</exception>
    public static IReadOnlyList<ToolDefinition> ReadTools(JsonFields body) =>
    [
        .. body.Objects("tools").Select(tool =>
        {
            if (tool.Text("type") is { } type and not "custom")
            {
                throw ApiException.Invalid($"'{tool.PathOf("type")}' is '{Shorten(type)}': this server supports only tools of the type 'custom'.", tool.PathOf("type"), "unsupported_tool");
            }

            var definition = new ToolDefinition { Name = tool.RequiredText("name"), Description = tool.Text("description") ?? string.Empty };
            return tool.Object("input_schema") is { } schema ? definition with { Parameters = schema.Element.GetRawText() } : throw tool.Missing("input_schema");
        }),
    ];

    /// <summary>Reads the tool choice, and whether several tools can be called at once.</summary>
    /// <exception cref="ApiException">The tool choice is malformed.</exception>
    public static (ToolChoice Choice, bool? Parallel) ReadToolChoice(JsonFields body)
    {
        if (body.Object("tool_choice") is not { } choice)
        {
            return (ToolChoice.Auto, null);
        }

        bool? parallel = choice.Flag("disable_parallel_tool_use") == true ? false : null;
        return (choice.Word("type", "auto", "any", "tool", "none") switch
        {
            "any" => ToolChoice.Required,
            "tool" => ToolChoice.Tool(
                choice.RequiredText("name") is { Length: > 0 } name ? name : throw ApiException.Invalid($"'{choice.PathOf("name")}' is empty.", choice.PathOf("name"))),
            "none" => ToolChoice.None,
            "auto" => ToolChoice.Auto,
            _ => throw choice.Missing("type"),
        }, parallel);
    }

    private static void ReadUser(List<ChatMessage> messages, JsonElement content, string path, Dictionary<string, string> calls)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            Append(messages, ChatRole.User, ReadText(content, path));
            return;
        }

        var text = new List<string>();
        foreach (JsonFields block in Blocks(content, path))
        {
            if (TypeOf(block) == "tool_result")
            {
                string id = block.RequiredText("tool_use_id");
                string result = block.Any("content") is { } value ? ReadText(value, block.PathOf("content")) : string.Empty;
                messages.Add(new ChatMessage
                {
                    Role = ChatRole.Tool,
                    Content = block.Flag("is_error") == true ? $"Error: {result}" : result,
                    ToolCallId = id,
                    ToolName = calls.GetValueOrDefault(id),
                });
            }
            else
            {
                text.Add(TextOf(block));
            }
        }

        if (text.Count > 0)
        {
            Append(messages, ChatRole.User, string.Join("\n", text));
        }
    }

    private static void ReadAssistant(List<ChatMessage> messages, JsonElement content, string path, Dictionary<string, string> calls)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            Append(messages, ChatRole.Assistant, ReadText(content, path));
            return;
        }

        var text = new StringBuilder();
        var thinking = new StringBuilder();
        var made = new List<ToolCall>();
        foreach (JsonFields block in Blocks(content, path))
        {
            switch (TypeOf(block))
            {
                case "thinking":
                    thinking.Append(block.RequiredText("thinking"));
                    break;
                case "redacted_thinking":
                    break;
                case "tool_use":
                    var call = new ToolCall
                    {
                        Id = block.RequiredText("id"),
                        Name = block.RequiredText("name"),
                        Arguments = block.Object("input")?.Element.GetRawText() ?? throw block.Missing("input"),
                    };
                    calls[call.Id] = call.Name;
                    made.Add(call);
                    break;
                default:
                    text.Append(TextOf(block));
                    break;
            }
        }

        if (made.Count == 0 && thinking.Length == 0)
        {
            Append(messages, ChatRole.Assistant, text.ToString());
            return;
        }

        messages.Add(new ChatMessage
        {
            Role = ChatRole.Assistant,
            Content = text.ToString(),
            ReasoningContent = thinking.Length > 0 ? thinking.ToString() : null,
            ToolCalls = made,
        });
    }

    // Consecutive messages of the same role are merged, as in Anthropic's API, because many templates reject them.
    private static void Append(List<ChatMessage> messages, ChatRole role, string text)
    {
        if (messages.Count > 0 && messages[^1] is { ToolCalls.Count: 0 } last && last.Role == role)
        {
            messages[^1] = last with { Content = $"{last.Content}\n{text}" };
        }
        else
        {
            messages.Add(new ChatMessage { Role = role, Content = text });
        }
    }

    private static string ReadText(JsonElement content, string path) => content.ValueKind == JsonValueKind.Array
        ? string.Join("\n", Blocks(content, path).Select(TextOf))
        : JsonFields.TextOf(content, path);

    private static IEnumerable<JsonFields> Blocks(JsonElement content, string path) =>
        content.EnumerateArray().Select((block, index) => new JsonFields(block, $"{path}[{index}]"));

    private static string TypeOf(JsonFields block) => block.RequiredText("type");

    private static string TextOf(JsonFields block)
    {
        string type = TypeOf(block);
        return type == "text"
            ? block.RequiredText("text")
            : throw ApiException.Invalid($"'{block.PathOf("type")}' is '{Shorten(type)}': this server accepts only text here.", block.PathOf("type"), "unsupported_content");
    }

    private static string Shorten(string text) => text.Length > 64 ? string.Concat(text.AsSpan(0, 64), "…") : text;
}
