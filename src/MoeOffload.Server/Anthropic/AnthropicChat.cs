using System.Text;
using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Reads Anthropic's messages. Their content is a text or a list of blocks, and tool results are blocks of a user message.</summary>
/// <param name="attachments">Receives the parts that are not text.</param>
internal sealed class AnthropicChat(Attachments attachments)
{
    private readonly List<ChatMessage> _messages = [];
    private readonly Dictionary<string, string> _calls = new(StringComparer.Ordinal);

    /// <summary>Reads the system text and the messages.</summary>
    /// <exception cref="ApiException">A message is malformed.</exception>
    public static IReadOnlyList<ChatMessage> ReadMessages(JsonFields body, Attachments attachments)
    {
        var chat = new AnthropicChat(attachments);
        if (body.Any("system") is { } system && chat.ReadSystem(body, system) is { Length: > 0 } text)
        {
            chat._messages.Add(ChatMessage.System(text));
        }

        if (body.Items("messages") is not { Count: > 0 })
        {
            throw body.Has("messages") ? ApiException.Invalid("'messages' is empty: add one.", "messages") : body.Missing("messages");
        }

        foreach (JsonFields message in body.Objects("messages"))
        {
            chat.Add(message);
        }

        return chat._messages;
    }

    private string ReadSystem(JsonFields body, JsonElement system) => system.ValueKind == JsonValueKind.Array
        ? string.Join("\n", Blocks(body, system, "system").Select(block => BillingLine.Remove(TextOf(block, isOfUser: false))).Where(text => text.Length > 0))
        : BillingLine.Remove(JsonFields.TextOf(system, "system"));

    private void Add(JsonFields message)
    {
        string role = message.Word("role", "user", "assistant", "system", "developer") ?? throw message.Missing("role");
        JsonElement content = message.Any("content") ?? throw message.Missing("content");
        string path = message.PathOf("content");
        message.Know("id", "cache_control");
        switch (role)
        {
            case "user":
                AddUser(message, content, path);
                break;
            case "assistant":
                AddAssistant(message, content, path);
                break;
            default:
                Append(ChatRole.System, ReadText(message, content, path, isOfUser: false));
                break;
        }
    }

    private void AddUser(JsonFields message, JsonElement content, string path)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            Append(ChatRole.User, JsonFields.TextOf(content, path));
            return;
        }

        var text = new List<string>();
        foreach (JsonFields block in Blocks(message, content, path))
        {
            if (TypeOf(block) == "tool_result")
            {
                AddResult(block);
            }
            else
            {
                text.Add(TextOf(block, isOfUser: true));
            }
        }

        if (text.Count > 0)
        {
            Append(ChatRole.User, string.Join("\n", text));
        }
    }

    private void AddResult(JsonFields block)
    {
        string id = block.RequiredText("tool_use_id");
        string result = block.Any("content") is { } value ? ReadText(block, value, block.PathOf("content"), isOfUser: false) : string.Empty;
        _messages.Add(new ChatMessage
        {
            Role = ChatRole.Tool,
            Content = block.Flag("is_error") == true ? $"Error: {result}" : result,
            ToolCallId = id,
            ToolName = _calls.GetValueOrDefault(id),
        });
    }

    private void AddAssistant(JsonFields message, JsonElement content, string path)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            Append(ChatRole.Assistant, JsonFields.TextOf(content, path));
            return;
        }

        var text = new StringBuilder();
        var thinking = new StringBuilder();
        var made = new List<ToolCall>();
        foreach (JsonFields block in Blocks(message, content, path))
        {
            string type = TypeOf(block);
            switch (type)
            {
                case "thinking":
                    block.Know("signature");
                    thinking.Append(block.RequiredText("thinking"));
                    break;
                case "redacted_thinking":
                    block.LeaveOut();
                    break;
                case "tool_use" or "server_tool_use" or "mcp_tool_use":
                    made.Add(ReadCall(block));
                    break;
                case var result when result.EndsWith("_tool_result", StringComparison.Ordinal):
                    // The result of a tool that the provider ran is a part of the answer that used it.
                    EndAssistant();
                    _messages.Add(ReadServerResult(block));
                    break;
                default:
                    text.Append(TextOf(block, isOfUser: false));
                    break;
            }
        }

        EndAssistant();

        void EndAssistant()
        {
            if (made.Count > 0 || thinking.Length > 0)
            {
                _messages.Add(new ChatMessage
                {
                    Role = ChatRole.Assistant,
                    Content = text.ToString(),
                    ReasoningContent = thinking.Length > 0 ? thinking.ToString() : null,
                    ToolCalls = [.. made],
                });
            }
            else if (text.Length > 0 || _messages.LastOrDefault()?.Role != ChatRole.Tool)
            {
                Append(ChatRole.Assistant, text.ToString());
            }

            text.Clear();
            thinking.Clear();
            made.Clear();
        }
    }

    private ToolCall ReadCall(JsonFields block)
    {
        block.Know("server_name", "caller");
        var call = new ToolCall
        {
            Id = block.RequiredText("id"),
            Name = block.RequiredText("name"),
            Arguments = block.Any("input")?.GetRawText() ?? throw block.Missing("input"),
        };
        _calls[call.Id] = call.Name;
        return call;
    }

    private ChatMessage ReadServerResult(JsonFields block)
    {
        string id = block.RequiredText("tool_use_id");
        block.Know("is_error", "caller");
        var text = new List<string>();
        if (block.Any("content") is { } content)
        {
            foreach (JsonElement item in content.ValueKind == JsonValueKind.Array ? content.EnumerateArray() : (IEnumerable<JsonElement>)[content])
            {
                text.Add(Describe(item));
            }
        }

        return new ChatMessage { Role = ChatRole.Tool, Content = string.Join("\n", text), ToolCallId = id, ToolName = _calls.GetValueOrDefault(id) };
    }

    // The content that the provider encrypted has no meaning here.
    private static string Describe(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            return item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText();
        }

        return string.Join("\n", item.EnumerateObject()
            .Where(field => field.Name != "type" && !field.Name.StartsWith("encrypted", StringComparison.Ordinal) && field.Value.ValueKind != JsonValueKind.Null)
            .Select(field => field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString() : field.Value.GetRawText()));
    }

    // Consecutive messages of the same role are merged, as in Anthropic's API.
    private void Append(ChatRole role, string text)
    {
        if (_messages.Count > 0 && _messages[^1] is { ToolCalls.Count: 0 } last && last.Role == role)
        {
            _messages[^1] = last with { Content = $"{last.Content}\n{text}" };
        }
        else
        {
            _messages.Add(new ChatMessage { Role = role, Content = text });
        }
    }

    private string ReadText(JsonFields owner, JsonElement content, string path, bool isOfUser) => content.ValueKind == JsonValueKind.Array
        ? string.Join("\n", Blocks(owner, content, path).Select(block => TextOf(block, isOfUser)))
        : JsonFields.TextOf(content, path);

    private static IEnumerable<JsonFields> Blocks(JsonFields owner, JsonElement content, string path) =>
        content.EnumerateArray().Select((block, index) => owner.Part(block, $"{path}[{index}]"));

    private static string TypeOf(JsonFields block)
    {
        block.Know("cache_control", "citations");
        return block.RequiredText("type");
    }

    private string TextOf(JsonFields block, bool isOfUser)
    {
        string type = TypeOf(block);
        switch (type)
        {
            case "text":
                return block.RequiredText("text");
            case "tool_reference":
                return block.RequiredText("tool_name");
            case "search_result":
                block.Know("source", "title");
                return string.Join("\n", new[] { block.Text("title"), block.Text("source") }.OfType<string>()
                    .Append(block.Any("content") is { } found ? ReadText(block, found, block.PathOf("content"), isOfUser) : string.Empty));
            case "document" when block.Object("source") is { } source && source.Text("type") is "text" or "content":
                return ReadDocument(block, isOfUser);
            case "image":
                block.Know("source");
                return attachments.AddImage(block.PathOf("type"), ReadSource(block), isOfUser);
            default:
                string kind = type.Length > 40 ? type[..40] : type;
                block.LeaveOut();
                return attachments.Add(block.PathOf("type"), kind, isOfUser);
        }
    }

    private static string? ReadSource(JsonFields block)
    {
        if (block.Object("source") is not { } source)
        {
            return null;
        }

        source.Know("type", "media_type", "file_id");
        return source.Text("data") ?? source.Text("url");
    }

    private string ReadDocument(JsonFields block, bool isOfUser)
    {
        JsonFields source = block.Object("source")!;
        source.Know("media_type");
        string text = source.Text("type") == "text"
            ? source.RequiredText("data")
            : source.Any("content") is { } content ? ReadText(source, content, source.PathOf("content"), isOfUser) : string.Empty;
        return string.Join("\n", new[] { block.Text("title"), block.Text("context"), text }.OfType<string>());
    }
}
