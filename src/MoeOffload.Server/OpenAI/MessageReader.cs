using System.Globalization;
using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the messages of a chat.</summary>
/// <param name="attachments">Receives the parts that are not text.</param>
internal sealed class MessageReader(Attachments attachments)
{
    private const int LongestType = 40;

    private readonly List<ChatMessage> _messages = [];

    /// <summary>Gets the messages so far.</summary>
    public IReadOnlyList<ChatMessage> Messages => _messages;

    /// <summary>Reads the messages of a request to <c>/v1/chat/completions</c>.</summary>
    /// <exception cref="ApiException">A message is malformed.</exception>
    public static IReadOnlyList<ChatMessage> Read(JsonFields body, Attachments attachments)
    {
        var reader = new MessageReader(attachments);
        foreach (JsonFields message in body.Has("messages") ? body.Objects("messages") : throw body.Missing("messages"))
        {
            reader.Add(reader.ReadMessage(message));
        }

        return reader.End("messages");
    }

    /// <summary>Adds a message.</summary>
    public void Add(ChatMessage message) => _messages.Add(message);

    /// <summary>Adds a tool call, to the last message if it is from the assistant.</summary>
    public void Add(ToolCall call, string? reasoning)
    {
        if (_messages.LastOrDefault() is { Role: ChatRole.Assistant } last)
        {
            _messages[^1] = last with { ToolCalls = [.. last.ToolCalls, call] };
        }
        else
        {
            _messages.Add(ChatMessage.Assistant(string.Empty) with { ReasoningContent = reasoning, ToolCalls = [call] });
        }
    }

    /// <summary>Returns the messages.</summary>
    /// <exception cref="ApiException">There are none.</exception>
    public IReadOnlyList<ChatMessage> End(string name)
    {
        if (_messages.Count == 0)
        {
            throw ApiException.Invalid($"'{name}' is empty: send at least one message.", name, "empty_array");
        }

        return _messages;
    }

    /// <summary>Reads content that is a text or a list of parts. The result is <see langword="null"/> if the content is missing or null.</summary>
    /// <param name="fields">The object that has the content.</param>
    /// <param name="name">The name of the content.</param>
    /// <param name="isOfUser">Whether the content is a part of the user's question.</param>
    public string? ReadContent(JsonFields fields, string name, bool isOfUser) => fields.Any(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } => string.Concat(fields.Items(name)!.Select(item => item.Value.ValueKind == JsonValueKind.String
            ? item.Value.GetString()
            : ReadPart(fields.Part(item.Value, item.Path), isOfUser))),
        { } content => JsonFields.TextOf(content, fields.PathOf(name)),
    };

    /// <summary>Gets the name of the tool that an earlier message called.</summary>
    public string? ToolNameOf(string callId) => _messages.SelectMany(message => message.ToolCalls).LastOrDefault(call => call.Id == callId)?.Name;

    private ChatMessage ReadMessage(JsonFields message)
    {
        string role = message.RequiredText("role");
        string? content = ReadContent(message, "content", role == "user");
        message.Know("name", "id", "cache_control", "annotations", "audio");
        switch (role)
        {
            case "system":
                return ChatMessage.System(BillingLine.Remove(content ?? throw message.Missing("content")));
            case "developer":
                return new ChatMessage { Role = ChatRole.Developer, Content = content ?? throw message.Missing("content") };
            case "user":
                return ChatMessage.User(content ?? throw message.Missing("content"));
            case "assistant":
                return ReadAssistant(message, content);
            case "tool":
                string id = message.RequiredText("tool_call_id");
                return ReadResult(message, content, id, message.Text("name") ?? ToolNameOf(id));
            case "function":
                string name = message.RequiredText("name");
                return ReadResult(message, content, LastCallOf(name)?.Id, name);
            default:
                throw ApiException.Invalid(
                    $"'{message.PathOf("role")}' must be one of system, developer, user, assistant, tool.", message.PathOf("role"));
        }
    }

    private static ChatMessage ReadResult(JsonFields message, string? content, string? id, string? name) => new()
    {
        Role = ChatRole.Tool,
        Content = content ?? throw message.Missing("content"),
        ToolCallId = id,
        ToolName = name,
    };

    private ChatMessage ReadAssistant(JsonFields message, string? content)
    {
        List<ToolCall> calls = [.. message.Objects("tool_calls").Select(ReadCall)];
        if (message.Object("function_call") is { } former)
        {
            calls.Add(new ToolCall { Id = NewId(), Name = former.RequiredText("name"), Arguments = ReadArguments(former, "arguments") });
        }

        string? reasoning = message.Text("reasoning_content") ?? ReadReasoning(message);
        content ??= message.Text("refusal");
        message.Know("refusal", "reasoning_details", "thinking", "prefix");
        return content is not null || calls.Count > 0 || reasoning is not null || message.Has("audio")
            ? ChatMessage.Assistant(content ?? string.Empty) with { ReasoningContent = reasoning, ToolCalls = calls }
            : throw message.Missing("content");
    }

    // Some servers name the reasoning so.
    private static string? ReadReasoning(JsonFields message) => message.Any("reasoning") is { ValueKind: JsonValueKind.String } ? message.Text("reasoning") : null;

    private ToolCall? LastCallOf(string name) => _messages.SelectMany(message => message.ToolCalls).LastOrDefault(call => call.Name == name);

    // Mistral's templates reject ids that do not consist of nine letters and digits.
    private string NewId() => string.Create(CultureInfo.InvariantCulture, $"call{_messages.Count:D5}");

    private ToolCall ReadCall(JsonFields call)
    {
        string type = call.Word("type", "function", "custom") ?? "function";
        call.Know("index");
        JsonFields called = call.Object(type) ?? throw call.Missing(type);
        string id = call.Text("id") is { Length: > 0 } given ? given : NewId();
        return type == "custom"
            ? CustomTools.ToCall(id, called.RequiredText("name"), called.Text("input") ?? string.Empty)
            : new ToolCall { Id = id, Name = called.RequiredText("name"), Arguments = ReadArguments(called, "arguments") };
    }

    /// <summary>Reads arguments, which some clients send as an object instead of a text.</summary>
    public static string ReadArguments(JsonFields fields, string name) => fields.Any(name) switch
    {
        null => "{}",
        { ValueKind: JsonValueKind.String } => fields.Text(name)!,
        { } value => value.GetRawText(),
    };

    private string ReadPart(JsonFields part, bool isOfUser)
    {
        part.Know("cache_control", "annotations", "logprobs", "id");
        string type = part.RequiredText("type");
        switch (type)
        {
            case "text" or "input_text" or "output_text":
                return part.RequiredText("text");
            case "refusal":
                return part.RequiredText("refusal");
            case "thinking" or "reasoning" or "redacted_thinking":
                part.LeaveOut();
                return string.Empty;
            case "image_url" or "input_image" or "image":
                return attachments.AddImage(part.PathOf("type"), ReadImage(part), isOfUser);
            default:
                string? text = part.Any("text") is { ValueKind: JsonValueKind.String } own ? own.GetString() : null;
                part.LeaveOut();
                return text ?? attachments.Add(part.PathOf("type"), KindOf(type), isOfUser);
        }
    }

    // The URI is in an object in one API, and a text in the other.
    private static string? ReadImage(JsonFields part)
    {
        part.Know("detail", "file_id");
        if (part.Any("image_url") is { ValueKind: JsonValueKind.Object })
        {
            JsonFields link = part.Object("image_url")!;
            link.Know("detail");
            return link.Text("url");
        }

        return part.Text("image_url");
    }

    private static string KindOf(string type) => type switch
    {
        "input_audio" or "audio" or "audio_url" => "audio",
        "video_url" or "input_video" or "video" => "video",
        "file" or "input_file" or "document" => "file",
        { Length: > LongestType } => type[..LongestType],
        _ => type,
    };
}
