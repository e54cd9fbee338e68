using System.Text.Json.Nodes;
using MoeOffload.Chat;

namespace MoeOffload.Tests.Chat;

/// <summary>Chats, and the same as requests of OpenAI's API.</summary>
internal static class Chats
{
    public static ToolDefinition Weather { get; } = new()
    {
        Name = "get_weather",
        Description = "Tells the weather of a city",
        Parameters = """
            {"type":"object","properties":{"city":{"type":"string","description":"The city's name"},"days":{"type":"integer","minimum":1,"maximum":9}},"required":["city"]}
            """,
    };

    public static ToolDefinition Time { get; } = new() { Name = "get_time", Description = "Tells the time" };

    private static readonly ToolCall s_call = new() { Id = "abcdef123", Name = "get_weather", Arguments = """{"city":"Zürich"}""" };

    public static IReadOnlyDictionary<string, ChatMessage[]> All { get; } = new Dictionary<string, ChatMessage[]>
    {
        ["question"] = [ChatMessage.User("Hello «wörld» 😀")],
        ["system"] = [ChatMessage.System("Be brief."), ChatMessage.User("Hi")],
        ["turns"] = [ChatMessage.User("Hi"), ChatMessage.Assistant("Hello there"), ChatMessage.User("Bye")],
        ["reasoning"] =
        [
            ChatMessage.User("1+1?"),
            ChatMessage.Assistant("2") with { ReasoningContent = "One and one are two." },
            ChatMessage.User("And one more?"),
        ],
        ["tool result"] =
        [
            ChatMessage.System("Be brief."),
            ChatMessage.User("What's the weather in Zürich?"),
            ChatMessage.Assistant(string.Empty) with { ReasoningContent = "I have to ask.", ToolCalls = [s_call] },
            ChatMessage.ToolResult(s_call, """{"sky":"clear"}"""),
        ],
    };

    public static JsonObject Request(IEnumerable<ChatMessage> messages, params IEnumerable<ToolDefinition> tools)
    {
        var request = new JsonObject { ["messages"] = new JsonArray([.. messages.Select(Message)]) };
        if (tools.Any())
        {
            request["tools"] = new JsonArray([.. tools.Select(Tool)]);
        }

        return request;
    }

    private static JsonNode Message(ChatMessage message)
    {
        var json = new JsonObject { ["role"] = message.Role.ToString().ToLowerInvariant(), ["content"] = message.Content };
        Set("reasoning_content", message.ReasoningContent);
        Set("tool_call_id", message.ToolCallId);
        Set("name", message.ToolName);
        if (message.ToolCalls.Count > 0)
        {
            json["tool_calls"] = new JsonArray([.. message.ToolCalls.Select(Call)]);
        }

        return json;

        void Set(string name, string? value)
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }
    }

    private static JsonNode Call(ToolCall call) => new JsonObject
    {
        ["id"] = call.Id,
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
    };

    private static JsonNode Tool(ToolDefinition tool) => new JsonObject
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = tool.Name,
            ["description"] = tool.Description,
            ["parameters"] = JsonNode.Parse(tool.Parameters),
        },
    };
}
