using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Anthropic;

/// <summary>Represents a request to <c>/v1/messages</c>.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Messages">The messages of the chat.</param>
/// <param name="Options">The tools, the sampling options, and the limits, except for the time limit.</param>
/// <param name="ShowsThinking">Whether the answer includes the model's reasoning.</param>
/// <param name="IsStreamed">Whether the answer is streamed.</param>
internal sealed record MessagesRequest(string Model, IReadOnlyList<ChatMessage> Messages, ChatOptions Options, bool ShowsThinking, bool IsStreamed)
{
    /// <summary>Reads a request.</summary>
    /// <param name="body">The fields of the body.</param>
    /// <param name="request">The request.</param>
    /// <param name="counts">Whether the request only counts its tokens.</param>
    /// <exception cref="ApiException">A field is missing, has the wrong type, or is out of range.</exception>
    public static MessagesRequest Read(JsonFields body, ApiRequest request, bool counts)
    {
        request.PromptField = "messages";
        string model = body.RequiredText("model");
        int? maxTokens = body.Integer("max_tokens", 1);
        if (maxTokens is null && !counts)
        {
            throw body.Missing("max_tokens");
        }

        bool thinks = ReadThinking(body);
        IReadOnlyList<ChatMessage> messages = AnthropicChat.ReadMessages(body, request.Attachments);
        IReadOnlyList<ToolDefinition> tools = AnthropicTools.ReadTools(body);
        (ToolChoice choice, bool? parallel) = AnthropicTools.ReadChoice(body, tools);
        (JsonSchema? schema, string? effort) = AnthropicTools.ReadOutput(body);
        SamplingOptions defaults = request.Options.Sampling;
        var options = new ChatOptions
        {
            Tools = tools,
            ToolChoice = choice,
            ParallelToolCalls = parallel,
            ResponseSchema = schema,
            Reasoning = thinks,
            TemplateArguments = effort is null ? new Dictionary<string, JsonNode?>() : new Dictionary<string, JsonNode?> { ["reasoning_effort"] = effort },
            Sampling = defaults with
            {
                Temperature = body.Number("temperature", 0, 1) ?? defaults.Temperature,
                TopP = body.Number("top_p", 0, 1) ?? defaults.TopP,
                TopK = body.Integer("top_k", -1) is { } topK ? Math.Max(0, topK) : defaults.TopK,
            },
            MaxTokens = request.LimitTokens(maxTokens),
            StopStrings = GenerationFields.ReadStops(body, "stop_sequences"),
        };
        bool isStreamed = body.Flag("stream") ?? false;
        FieldTables.Messages.Apply(body);
        request.EndReading();
        request.NoteUnenforced(schema);
        return new MessagesRequest(model, messages, Prefill.Apply(options, messages), thinks, isStreamed);
    }

    private static bool ReadThinking(JsonFields body)
    {
        if (body.Object("thinking") is not { } thinking)
        {
            return false;
        }

        thinking.Integer("budget_tokens", 1);
        thinking.Know("display");
        return (thinking.Word("type", "enabled", "disabled", "adaptive") ?? throw thinking.Missing("type")) != "disabled";
    }
}
