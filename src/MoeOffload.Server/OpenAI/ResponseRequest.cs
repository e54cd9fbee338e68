using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Fields;
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

    /// <summary>Gets the messages without the instructions, which later requests do not inherit.</summary>
    public required IReadOnlyList<ChatMessage> Input { get; init; }

    public required ChatOptions Options { get; init; }

    /// <summary>Gets the names of the tools whose input is a text.</summary>
    public required IReadOnlySet<string> CustomTools { get; init; }

    /// <summary>Gets a value that indicates whether later requests can refer to the response.</summary>
    public bool IsStored { get; private init; }

    public bool Stream { get; private init; }

    /// <summary>Gets the fields that the response repeats.</summary>
    public required JsonFields Body { get; init; }

    public bool HasProbabilities => Options.Sampling!.TopLogProbabilities is not null;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field has the wrong type or is out of range, or refers to something that is not stored.</exception>
    public static ResponseRequest Read(JsonFields body, ApiRequest request, ResponseStore store)
    {
        request.PromptField = "input";
        request.ReadContextLength(body);
        IReadOnlyList<ChatMessage> input = new ResponseInput(store, request.Attachments).Read(body);
        ToolList tools = ToolReader.Read(body, isFlat: true);
        var read = new ResponseRequest
        {
            Model = body.Text("model"),
            Input = input,
            Messages = body.Text("instructions") is { Length: > 0 } instructions ? [ChatMessage.System(instructions), .. input] : input,
            Options = ReadOptions(body, tools, request),
            CustomTools = tools.Custom,
            IsStored = body.Flag("store") ?? true,
            Stream = body.Flag("stream") ?? false,
            Body = body,
        };
        CheckOthers(body, request);
        request.NoteUnenforced(read.Options.ResponseSchema);
        return read;
    }

    private static ChatOptions ReadOptions(JsonFields body, ToolList tools, ApiRequest request)
    {
        bool hasProbabilities = body.Texts("include").Contains(IncludeProbabilities);
        int? top = body.Integer("top_logprobs", 0, MostTopProbabilities);
        var options = new ChatOptions
        {
            Tools = tools.Definitions,
            ToolChoice = tools.Choice,
            ParallelToolCalls = body.Flag("parallel_tool_calls"),
            ResponseSchema = ReadFormat(body),
            Sampling = GenerationFields.ReadSampling(body, request.Options.Sampling, isOpenAI: true) with { TopLogProbabilities = hasProbabilities ? top ?? 0 : null },
            MaxTokens = request.LimitTokens(GenerationFields.ReadMaxTokens(body, "max_output_tokens")),
        };
        if (body.Object("reasoning") is not { } reasoning)
        {
            return options;
        }

        reasoning.Ignore("summary", "generate_summary", "context");
        return ReasoningReader.Apply(options, reasoning, "effort");
    }

    private static JsonSchema? ReadFormat(JsonFields body)
    {
        JsonFields? text = body.Object("text");
        text?.Ignore("verbosity");
        return ToolReader.ReadFormat(text?.Object("format"), isFlat: true);
    }

    private static void CheckOthers(JsonFields body, ApiRequest request)
    {
        body.Word("truncation", "auto", "disabled");
        body.Know("user", "metadata");
        FieldTables.Responses.Apply(body);
        request.EndReading();
    }
}
