using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
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

    /// <summary>Gets the number of answers.</summary>
    public int Count { get; private init; }

    public bool Stream { get; private init; }

    public bool IncludesUsage { get; private init; }

    /// <summary>Gets a value that indicates whether the answer includes log probabilities.</summary>
    public bool HasProbabilities => Options.Sampling!.TopLogProbabilities is not null;

    public static ChatCompletionRequest Read(JsonFields body, ApiRequest request)
    {
        bool stream = body.Flag("stream") ?? false;
        var read = new ChatCompletionRequest
        {
            Model = body.Text("model"),
            Messages = MessageReader.Read(body),
            Options = ReadOptions(body, request),
            Count = body.Integer("n", 1, request.Limits.MaxChoices) ?? 1,
            Stream = stream,
            IncludesUsage = ReadIncludesUsage(body, stream),
        };
        RefuseOthers(body);
        return read;
    }

    /// <summary>Gets a value that indicates whether a stream ends with the token usage.</summary>
    public static bool ReadIncludesUsage(JsonFields body, bool stream)
    {
        JsonFields? options = body.Object("stream_options");
        return options is null || stream
            ? options?.Flag("include_usage") ?? false
            : throw ApiException.Invalid("'stream_options' is only allowed with 'stream'.", "stream_options");
    }

    /// <summary>Gets the options of one of several answers. If the request has a seed, each answer gets its own, so that the answers differ and are reproducible.</summary>
    public ChatOptions OptionsOf(int index) => index == 0 || Options.Sampling!.Seed is not { } seed
        ? Options
        : Options with { Sampling = Options.Sampling with { Seed = (uint)((seed + (ulong)index) % uint.MaxValue) } };

    private static ChatOptions ReadOptions(JsonFields body, ApiRequest request)
    {
        int? most = body.Integer("max_completion_tokens", 1) ?? body.Integer("max_tokens", 1);
        var options = new ChatOptions
        {
            Tools = ToolReader.ReadTools(body, isFlat: false),
            ToolChoice = ToolReader.ReadChoice(body, isFlat: false),
            ParallelToolCalls = body.Flag("parallel_tool_calls"),
            ResponseSchema = ToolReader.ReadFormat(body.Object("response_format"), isFlat: false),
            ReasoningFormat = body.Word("reasoning_format", "none", "auto", "deepseek") == "none" ? ReasoningFormat.InContent : ReasoningFormat.Separate,
            TemplateArguments = ReadArguments(body),
            Sampling = GenerationFields.ReadSampling(body, request.Options.Sampling) with { TopLogProbabilities = ReadTopProbabilities(body) },
            MaxTokens = request.LimitTokens(most),
            StopStrings = GenerationFields.ReadStops(body),
        };
        return ReasoningReader.Apply(options, body, "reasoning_effort");
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
        foreach (JsonProperty argument in body.Object("chat_template_kwargs")?.Element.EnumerateObject() ?? default)
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

    private static void RefuseOthers(JsonFields body)
    {
        body.Ignore(
            "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "verbosity", "prediction", "cache_prompt", "id_slot");
        if (body.Any("modalities") is not null && body.Texts("modalities") is not ["text"])
        {
            throw ApiException.Invalid("'modalities' must be [\"text\"]: this server generates only text.", "modalities", "unsupported_parameter");
        }

        body.Refuse("audio", "this server generates only text");
        body.Refuse("web_search_options", "this server does not search");
        body.Refuse("functions", "use tools");
        body.Refuse("function_call", "use tool_choice");
        body.RefuseUnknown();
    }
}
