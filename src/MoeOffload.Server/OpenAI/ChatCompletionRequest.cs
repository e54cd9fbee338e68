using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Schemas;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Represents a request to <c>/v1/chat/completions</c>.</summary>
internal sealed record ChatCompletionRequest
{
    private const int MostTopProbabilities = 20;

    public string? Model { get; private init; }

    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    public required ChatOptions Options { get; init; }

    /// <summary>Gets the names of the tools whose input is a text.</summary>
    public required IReadOnlySet<string> CustomTools { get; init; }

    /// <summary>Gets the number of answers.</summary>
    public int Count { get; private init; }

    public bool Stream { get; private init; }

    public bool IncludesUsage { get; private init; }

    /// <summary>Gets a value that indicates whether the stream includes the progress of the prompt.</summary>
    public bool ReportsProgress { get; private init; }

    /// <summary>Gets a value that indicates whether the answer includes log probabilities.</summary>
    public bool HasProbabilities => Options.Sampling!.TopLogProbabilities is not null;

    public static ChatCompletionRequest Read(JsonFields body, ApiRequest request)
    {
        request.PromptField = "messages";
        request.ReadContextLength(body);
        bool stream = body.Flag("stream") ?? false;
        ToolList tools = ToolReader.Read(body, isFlat: false);
        IReadOnlyList<ChatMessage> messages = MessageReader.Read(body, request.Attachments);
        bool continues = body.Flag("continue_final_message") ?? true;
        ChatOptions options = ReadOptions(body, tools, request);
        var read = new ChatCompletionRequest
        {
            Model = body.Text("model"),
            Messages = messages,
            Options = continues ? Prefill.Apply(options, messages) : options,
            CustomTools = tools.Custom,
            Count = body.Integer("n", 1, request.Limits.MaxChoices) ?? 1,
            Stream = stream,
            IncludesUsage = ReadIncludesUsage(body, stream),
            ReportsProgress = body.Flag("return_progress") ?? false,
        };
        CheckOthers(body, request);
        request.NoteUnenforced(options.ResponseSchema);
        return read;
    }

    /// <summary>Gets a value that indicates whether a stream ends with the token usage.</summary>
    public static bool ReadIncludesUsage(JsonFields body, bool stream)
    {
        JsonFields? options = body.Object("stream_options");
        if (options is null)
        {
            return false;
        }

        options.Know("include_obfuscation");
        options.Ignore("continuous_usage_stats");
        bool includes = options.Flag("include_usage") ?? false;
        return stream || !includes ? includes : throw ApiException.Invalid("'stream_options' is only allowed with 'stream'.", "stream_options");
    }

    /// <summary>Gets the options of one of several answers. If the request has a seed, each answer gets its own, so that the answers differ and are reproducible.</summary>
    public ChatOptions OptionsOf(int index) => index == 0 || Options.Sampling!.Seed is not { } seed
        ? Options
        : Options with { Sampling = Options.Sampling with { Seed = (uint)((seed + (ulong)index) % uint.MaxValue) } };

    /// <summary>Checks an answer against its schema, unless its text begins with reasoning.</summary>
    public SchemaCheck? Check(string answer) =>
        Options.ReasoningFormat == ReasoningFormat.InContent ? null : SchemaCheck.Of(Options.ResponseSchema, answer);

    private static ChatOptions ReadOptions(JsonFields body, ToolList tools, ApiRequest request)
    {
        (JsonSchema? schema, string? grammar) = GuidedReader.Read(body);
        SamplingOptions sampling = GenerationFields.ReadSampling(body, request.Options.Sampling, isOpenAI: true);
        var options = new ChatOptions
        {
            Tools = tools.Definitions,
            ToolChoice = tools.Choice,
            ParallelToolCalls = body.Flag("parallel_tool_calls"),
            ResponseSchema = schema,
            ReasoningFormat = body.Word("reasoning_format", "none", "auto", "deepseek") switch
            {
                null => request.Options.ReasoningFormat,
                "none" => ReasoningFormat.InContent,
                _ => ReasoningFormat.Separate,
            },
            TemplateArguments = ReadArguments(body),
            Sampling = sampling with { TopLogProbabilities = ReadTopProbabilities(body), Grammar = grammar ?? sampling.Grammar },
            MaxTokens = request.LimitTokens(GenerationFields.ReadMaxTokens(body, "max_completion_tokens", "max_tokens", "n_predict")),
            StopStrings = GenerationFields.ReadStops(body),
            StopTokens = GenerationFields.ReadStopTokens(body),
        };
        return ReasoningReader.Apply(ReasoningReader.ApplySwitches(options, body), body, "reasoning_effort");
    }

    private static int? ReadTopProbabilities(JsonFields body)
    {
        bool wanted = body.Flag("logprobs") ?? false;
        int? count = body.Integer("top_logprobs", 0, MostTopProbabilities);
        return wanted ? count ?? 0
            : count is null or 0 ? null
            : throw ApiException.Invalid("'top_logprobs' is only allowed with 'logprobs'.", "top_logprobs");
    }

    private static Dictionary<string, JsonNode?> ReadArguments(JsonFields body)
    {
        var arguments = new Dictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (JsonProperty argument in body.Object("chat_template_kwargs")?.Whole.EnumerateObject() ?? default)
        {
            arguments[argument.Name] = argument.Value.ValueKind switch
            {
                JsonValueKind.Object => JsonObject.Create(argument.Value.Clone()),
                JsonValueKind.Array => JsonArray.Create(argument.Value.Clone()),
                JsonValueKind.Null => null,
                _ => JsonValue.Create(argument.Value.Clone()),
            };
        }

        return arguments;
    }

    private static void CheckOthers(JsonFields body, ApiRequest request)
    {
        if (body.Any("modalities") is not null && body.Texts("modalities") is not ["text"])
        {
            throw ApiException.Invalid("'modalities' must be [\"text\"]: this server generates only text.", "modalities", "unsupported_parameter");
        }

        FieldTables.ChatCompletions.Apply(body);
        request.EndReading();
    }
}
