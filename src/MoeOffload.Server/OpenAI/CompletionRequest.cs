using MoeOffload.Schemas;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Represents a request to <c>/v1/completions</c>.</summary>
internal sealed record CompletionRequest
{
    // OpenAI's default if a request does not specify the number.
    private const int DefaultMaxTokens = 16;
    private const int MostTopProbabilities = 5;

    public string? Model { get; private init; }

    public required IReadOnlyList<PromptInput> Prompts { get; init; }

    public required SamplingOptions Sampling { get; init; }

    public required IReadOnlyList<string> Stops { get; init; }

    public required IReadOnlyList<int> StopTokens { get; init; }

    public int? MaxTokens { get; private init; }

    /// <summary>Gets the number of answers to each prompt.</summary>
    public int Count { get; private init; }

    /// <summary>Gets a value that indicates whether each answer begins with its prompt.</summary>
    public bool Echo { get; private init; }

    /// <summary>Gets the text that follows the answer, or <see langword="null"/> if the answer is not to be filled in.</summary>
    public string? Suffix { get; private init; }

    public bool Stream { get; private init; }

    public bool IncludesUsage { get; private init; }

    public static CompletionRequest Read(JsonFields body, ApiRequest request)
    {
        request.PromptField = "prompt";
        request.ReadContextLength(body);
        bool stream = body.Flag("stream") ?? false;
        IReadOnlyList<PromptInput> prompts = PromptInput.Read(body, "prompt");
        int count = body.Integer("n", 1, request.Limits.MaxChoices) ?? 1;
        if (count * prompts.Count > request.Limits.MaxChoices)
        {
            throw ApiException.Invalid($"The request has {prompts.Count} prompts with {count} answers each, but the server generates at most {request.Limits.MaxChoices} answers for a request.", "prompt");
        }

        if ((body.Integer("best_of", 1) ?? count) != count)
        {
            throw ApiException.Invalid("'best_of' must be equal to 'n': the server returns all answers that it generates.", "best_of", "unsupported_parameter");
        }

        bool echo = body.Flag("echo") ?? false;
        int? probabilities = body.Integer("logprobs", 0, MostTopProbabilities);
        if (echo && probabilities is not null)
        {
            throw ApiException.Invalid("'echo' with 'logprobs' is not supported: the server does not compute the log probabilities of prompts.", "logprobs", "unsupported_parameter");
        }

        (JsonSchema? schema, string? grammar) = GuidedReader.Read(body);
        SamplingOptions sampling = GenerationFields.ReadSampling(body, request.Options.Sampling, isOpenAI: true);
        var read = new CompletionRequest
        {
            Model = body.Text("model"),
            Prompts = prompts,
            Count = count,
            Sampling = sampling with
            {
                TopLogProbabilities = probabilities,
                JsonSchema = schema,
                Grammar = grammar ?? (schema is null ? sampling.Grammar : null),
            },
            Stops = GenerationFields.ReadStops(body),
            StopTokens = GenerationFields.ReadStopTokens(body),
            MaxTokens = request.LimitTokens(GenerationFields.ReadMaxTokens(body, "max_tokens", "n_predict") ?? (IsUnlimited(body) ? null : DefaultMaxTokens)),
            Suffix = body.Text("suffix"),
            Echo = echo,
            Stream = stream,
            IncludesUsage = ChatCompletionRequest.ReadIncludesUsage(body, stream),
        };
        FieldTables.Completions.Apply(body);
        request.EndReading();
        request.NoteUnenforced(schema);
        return read;
    }

    /// <summary>Creates the request for one answer.</summary>
    /// <param name="index">The number of the answer, counted over all prompts.</param>
    /// <param name="vocabulary">The vocabulary of the model.</param>
    public GenerationRequest RequestOf(int index, Vocabulary vocabulary)
    {
        PromptInput prompt = Prompts[index / Count];
        int[]? filled = string.IsNullOrEmpty(Suffix) ? null
            : FillPrompt.Make(vocabulary, prompt.Text ?? throw ApiException.Invalid("'suffix' needs a prompt that is a text.", "suffix"), Suffix, "suffix");
        int ofPrompt = index % Count;
        return new GenerationRequest
        {
            Prompt = prompt.Text ?? string.Empty,
            PromptTokens = filled ?? prompt.Tokens,
            Sampling = ofPrompt > 0 && Sampling.Seed is { } seed ? Sampling with { Seed = (uint)((seed + (ulong)ofPrompt) % uint.MaxValue) } : Sampling,
            MaxTokens = MaxTokens,
            StopStrings = Stops,
            StopTokens = StopTokens,
        };
    }

    // As in llama.cpp's server, -1 requests as many tokens as the context has room for.
    private static bool IsUnlimited(JsonFields body) => body.Integer("max_tokens") == -1 || body.Integer("n_predict") == -1;
}
