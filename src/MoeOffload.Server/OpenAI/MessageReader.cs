using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Reads the messages of a chat.</summary>
internal static class MessageReader
{
    public static List<ChatMessage> Read(JsonFields body)
    {
        List<ChatMessage> messages = [];
        foreach (JsonFields message in body.Has("messages") ? body.Objects("messages") : throw body.Missing("messages"))
        {
            messages.Add(Read(message, messages));
        }

        return messages.Count > 0
            ? messages
            : throw ApiException.Invalid("'messages' is empty: send at least one message.", "messages", "empty_array");
    }

    /// <summary>Reads content that is a text or a list of text parts. The result is empty if the content is missing or null.</summary>
    public static string ReadContent(JsonFields fields, string name)
    {
        if (fields.Any(name) is not { } content)
        {
            return string.Empty;
        }

        return content.ValueKind == JsonValueKind.Array
            ? string.Concat(fields.Objects(name).Select(ReadPart))
            : JsonFields.TextOf(content, fields.PathOf(name));
    }

    /// <summary>Gets the name of the tool that an earlier message called.</summary>
    public static string? ToolNameOf(IEnumerable<ChatMessage> messages, string callId) =>
        messages.SelectMany(message => message.ToolCalls).LastOrDefault(call => call.Id == callId)?.Name;

    private static ChatMessage Read(JsonFields message, List<ChatMessage> before)
    {
        string role = message.RequiredText("role");
        string content = ReadContent(message, "content");
        switch (role)
        {
            case "system":
                return ChatMessage.System(content);
            case "developer":
                return new ChatMessage { Role = ChatRole.Developer, Content = content };
            case "user":
                return ChatMessage.User(content);
            case "assistant":
                message.Refuse("function_call", "use tool_calls");
                return ChatMessage.Assistant(content) with
                {
                    ReasoningContent = message.Text("reasoning_content"),
                    ToolCalls = [.. message.Objects("tool_calls").Select(ReadCall)],
                };
            case "tool":
                string id = message.RequiredText("tool_call_id");
                return new ChatMessage
                {
                    Role = ChatRole.Tool,
                    Content = content,
                    ToolCallId = id,
                    ToolName = message.Text("name") ?? ToolNameOf(before, id),
                };
            default:
                throw ApiException.Invalid(
                    $"'{message.PathOf("role")}' must be one of system, developer, user, assistant, tool.", message.PathOf("role"));
        }
    }

    private static ToolCall ReadCall(JsonFields call)
    {
        call.Word("type", "function");
        JsonFields function = call.Object("function") ?? throw call.Missing("function");
        return new ToolCall { Id = call.RequiredText("id"), Name = function.RequiredText("name"), Arguments = function.RequiredText("arguments") };
    }

    private static string ReadPart(JsonFields part) => part.RequiredText("type") switch
    {
        "text" or "input_text" or "output_text" => part.RequiredText("text"),
        "refusal" => part.RequiredText("refusal"),
        var type => throw ApiException.Invalid(
            $"'{part.PathOf("type")}' is '{(type.Length > 40 ? type[..40] : type)}': this server accepts only text.", part.PathOf("type"), "unsupported_content"),
    };
}
