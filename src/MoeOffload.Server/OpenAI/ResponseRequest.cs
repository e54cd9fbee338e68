using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Represents a request to <c>/v1/responses</c>.</summary>
internal sealed record ResponseRequest
{
    private const int MostTopProbabilities = 20;
    private const string IncludeProbabilities = "message.output_text.logprobs";

    public string? Model { get; private init; }

    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    public required ChatOptions Options { get; init; }

    public bool Stream { get; private init; }

    /// <summary>Gets the fields that the response repeats.</summary>
    public required JsonFields Body { get; init; }

    public bool HasProbabilities => Options.Sampling!.TopLogProbabilities is not null;

    public static ResponseRequest Read(JsonFields body, ApiRequest request)
    {
        var read = new ResponseRequest
        {
            Model = body.Text("model"),
            Messages = ReadMessages(body),
            Options = ReadOptions(body, request),
            Stream = body.Flag("stream") ?? false,
            Body = body,
        };
        RefuseOthers(body);
        return read;
    }

    private static List<ChatMessage> ReadMessages(JsonFields body)
    {
        List<ChatMessage> messages = body.Text("instructions") is { Length: > 0 } instructions ? [ChatMessage.System(instructions)] : [];
        JsonElement input = body.Any("input") ?? throw body.Missing("input");
        if (input.ValueKind == JsonValueKind.String)
        {
            messages.Add(ChatMessage.User(JsonFields.TextOf(input, "input")));
            return messages;
        }

        string? reasoning = null;
        foreach (JsonFields item in body.Objects("input"))
        {
            AddItem(messages, item, ref reasoning);
        }

        return messages.Count > 0 ? messages : throw ApiException.Invalid("'input' is empty: send at least one message.", "input", "empty_array");
    }

    private static void AddItem(List<ChatMessage> messages, JsonFields item, ref string? reasoning)
    {
        switch (item.Text("type") ?? "message")
        {
            case "message":
                messages.Add(ReadMessage(item) is { Role: ChatRole.Assistant } answer ? answer with { ReasoningContent = Take(ref reasoning) } : ReadMessage(item));
                break;
            case "function_call":
                var call = new ToolCall { Id = item.RequiredText("call_id"), Name = item.RequiredText("name"), Arguments = item.RequiredText("arguments") };

                // In this API, tool calls are separate items. Templates expect them in the preceding message.
                if (messages.LastOrDefault() is { Role: ChatRole.Assistant } last)
                {
                    messages[^1] = last with { ToolCalls = [.. last.ToolCalls, call] };
                }
                else
                {
                    messages.Add(ChatMessage.Assistant(string.Empty) with { ReasoningContent = Take(ref reasoning), ToolCalls = [call] });
                }

                break;
            case "function_call_output":
                string id = item.RequiredText("call_id");
                messages.Add(new ChatMessage
                {
                    Role = ChatRole.Tool,
                    Content = MessageReader.ReadContent(item, "output"),
                    ToolCallId = id,
                    ToolName = MessageReader.ToolNameOf(messages, id),
                });
                break;
            case "reasoning":
                reasoning = string.Concat(item.Objects("content").Select(part => part.RequiredText("text")));
                break;
            default:
                throw ApiException.Invalid(
                    $"'{item.PathOf("type")}' must be one of message, function_call, function_call_output, reasoning.", item.PathOf("type"), "unsupported_content");
        }
    }

    private static ChatMessage ReadMessage(JsonFields item) => new()
    {
        Role = item.RequiredText("role") switch
        {
            "system" => ChatRole.System,
            "developer" => ChatRole.Developer,
            "user" => ChatRole.User,
            "assistant" => ChatRole.Assistant,
            _ => throw ApiException.Invalid($"'{item.PathOf("role")}' must be one of system, developer, user, assistant.", item.PathOf("role")),
        },
        Content = MessageReader.ReadContent(item, "content"),
    };

    private static string? Take(ref string? reasoning)
    {
        string? taken = reasoning is { Length: > 0 } ? reasoning : null;
        reasoning = null;
        return taken;
    }

    private static ChatOptions ReadOptions(JsonFields body, ApiRequest request)
    {
        bool hasProbabilities = body.Texts("include").Contains(IncludeProbabilities);
        int? top = body.Integer("top_logprobs", 0, MostTopProbabilities);
        var options = new ChatOptions
        {
            Tools = ToolReader.ReadTools(body, isFlat: true),
            ToolChoice = ToolReader.ReadChoice(body, isFlat: true),
            ParallelToolCalls = body.Flag("parallel_tool_calls"),
            ResponseSchema = ToolReader.ReadFormat(body.Object("text")?.Object("format"), isFlat: true),
            Sampling = GenerationFields.ReadSampling(body, request.Options.Sampling) with { TopLogProbabilities = hasProbabilities ? top ?? 0 : null },
            MaxTokens = request.LimitTokens(body.Integer("max_output_tokens", 1)),
        };
        return body.Object("reasoning") is { } reasoning ? ReasoningReader.Apply(options, reasoning, "effort") : options;
    }

    private static void RefuseOthers(JsonFields body)
    {
        body.Ignore("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "max_tool_calls", "stream_options");
        body.Word("truncation", "auto", "disabled");
        body.Refuse("previous_response_id", "the server does not store responses; send the whole input");
        body.Refuse("conversation", "the server does not store conversations; send the whole input");
        body.Refuse("prompt", "the server does not store prompts");
        if (body.Flag("background") == true)
        {
            body.Refuse("background", "the server does not store responses; wait for the response");
        }

        body.RefuseUnknown();
    }
}
