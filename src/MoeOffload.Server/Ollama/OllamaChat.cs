using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Reads the messages and tools of Ollama's chats.</summary>
internal static class OllamaChat
{
    /// <summary>Reads the messages. A tool result in Ollama's API names a tool but no call, which chat templates need. The result belongs to the first call of that tool without a result.</summary>
    /// <exception cref="ApiException">An item is malformed.</exception>
    public static IReadOnlyList<ChatMessage> ReadMessages(JsonFields body, Attachments attachments)
    {
        var messages = new List<ChatMessage>();
        var open = new List<ToolCall>();
        int count = 0;
        foreach (JsonFields message in body.Objects("messages"))
        {
            string role = message.Word("role", "system", "developer", "user", "assistant", "tool") ?? throw message.Missing("role");
            string content = WithImages(message, message.Text("content") ?? string.Empty, attachments, role == "user");
            switch (role)
            {
                case "system" or "developer":
                    messages.Add(ChatMessage.System(content));
                    break;
                case "user":
                    messages.Add(ChatMessage.User(content));
                    break;
                case "assistant":
                    ToolCall[] calls = [.. message.Objects("tool_calls").Select(call => ReadCall(call, ref count))];
                    open.AddRange(calls);
                    messages.Add(new ChatMessage { Role = ChatRole.Assistant, Content = content, ReasoningContent = message.Text("thinking"), ToolCalls = calls });
                    break;
                default:
                    messages.Add(ReadResult(message, content, open));
                    break;
            }
        }

        return messages;
    }

    /// <summary>Reads the tools. Those that are not functions are left out, because this server does not have them.</summary>
    /// <exception cref="ApiException">An item is malformed.</exception>
    public static IReadOnlyList<ToolDefinition> ReadTools(JsonFields body)
    {
        var tools = new List<ToolDefinition>();
        foreach (JsonFields tool in ToolLimit.Check(body.Objects("tools")))
        {
            if (tool.Text("type") is not (null or "" or "function"))
            {
                tool.LeaveOut();
                continue;
            }

            JsonFields function = tool.Object("function") ?? throw tool.Missing("function");
            function.Know("strict");
            var definition = new ToolDefinition { Name = function.RequiredText("name"), Description = function.Text("description") ?? string.Empty };
            tools.Add(function.Any("parameters") is { } parameters ? definition with { Parameters = parameters.GetRawText() } : definition);
        }

        return tools;
    }

    /// <summary>Gets the tool calls of an answer, with their arguments as objects. Incomplete calls are omitted.</summary>
    public static IReadOnlyList<AnswerCall>? Calls(ChatMessage answer)
    {
        var calls = new List<AnswerCall>();
        foreach (ToolCall call in answer.ToolCalls)
        {
            if (Parse(call.Arguments) is { } arguments)
            {
                calls.Add(new AnswerCall(call.Id, new AnswerFunction(calls.Count, call.Name, arguments)));
            }
        }

        return calls.Count > 0 ? calls : null;
    }

    /// <summary>Adds the images of a message or a prompt to its text.</summary>
    public static string WithImages(JsonFields message, string content, Attachments attachments, bool isOfUser)
    {
        foreach ((JsonElement image, string path) in message.Items("images") ?? [])
        {
            string mark = attachments.AddImage(path, image.ValueKind == JsonValueKind.String ? image.GetString() : null, isOfUser);
            content = content.Length > 0 ? $"{content}\n{mark}" : mark;
        }

        return content;
    }

    private static JsonNode? Parse(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Mistral's templates reject ids that do not consist of nine letters and digits.
    private static ToolCall ReadCall(JsonFields call, ref int count)
    {
        JsonFields function = call.Object("function") ?? throw call.Missing("function");
        call.Know("type");
        function.Know("index");
        return new ToolCall
        {
            Id = call.Text("id") is { Length: > 0 } given ? given : $"call{count++:D5}",
            Name = function.RequiredText("name"),
            Arguments = function.Any("arguments") switch
            {
                null => "{}",
                { ValueKind: JsonValueKind.String } => function.Text("arguments")!,
                { } arguments => arguments.GetRawText(),
            },
        };
    }

    private static ChatMessage ReadResult(JsonFields message, string content, List<ToolCall> open)
    {
        string? id = message.Text("tool_call_id");
        string? name = message.Text("tool_name") ?? message.Text("name");
        ToolCall? call = open.Find(call => id is not null ? call.Id == id : name is null || call.Name == name);
        if (call is not null)
        {
            open.Remove(call);
        }

        return new ChatMessage { Role = ChatRole.Tool, Content = content, ToolCallId = id ?? call?.Id, ToolName = name ?? call?.Name };
    }
}
