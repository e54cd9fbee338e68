using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Sampling;
using MoeOffload.Schemas;

namespace MoeOffload;

/// <summary>
/// How the next token is chosen: llama.cpp's samplers with llama.cpp's defaults, in its order or in one of your own.
/// </summary>
/// <remarks>
/// Without <see cref="Samplers"/> the chain is llama.cpp's: logit bias, penalties, DRY, top-n-sigma, top-k, typical, top-p,
/// min-p, XTC, infill, temperature, and last the choice by chance or by adaptive-p. With <see cref="Mirostat"/> it is
/// logit bias, temperature, Mirostat. A sampler whose parameters turn it off is left out.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Always the most probable token: temperature 0, and no sampler but what you add to it.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0, TopK = 0, TopP = 1, MinP = 0 };

    /// <summary>The temperature, 0 to 100: below 1 the probable tokens gain, above 1 the others; 0 takes the most probable. By default 0.8.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>How far the temperature moves with the candidates' entropy, 0 to 100; 0, the default, is not at all.</summary>
    public float DynamicTemperatureRange { get; init; }

    /// <summary>The power of the entropy that a moving temperature follows, 0 to 100; by default 1.</summary>
    public float DynamicTemperatureExponent { get; init; } = 1;

    /// <summary>How many of the most probable candidates are kept; 0 is all. By default 40.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>The most probable candidates are kept that add up to this probability; 1 is all. By default 0.95.</summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>Candidates are kept that have this share of the best one's probability; 0 is all. By default 0.05.</summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>Locally typical candidates are kept that add up to this probability; 1, the default, is all.</summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>Candidates within this many standard deviations of the best logit are kept; 0, the default, is all.</summary>
    public float TopNSigma { get; init; }

    /// <summary>How many candidates top-p, min-p, typical and XTC leave at least; by default 0, which is one.</summary>
    public int MinKeep { get; init; }

    /// <summary>Penalties for tokens that occurred lately; by default none.</summary>
    public PenaltiesSampler? Penalties { get; init; }

    /// <summary>Penalties for repeated sequences; by default none.</summary>
    public DrySampler? Dry { get; init; }

    /// <summary>The exclusion of top choices; by default none.</summary>
    public XtcSampler? Xtc { get; init; }

    /// <summary>Mirostat, in place of all other samplers but the temperature; by default none.</summary>
    public MirostatSampler? Mirostat { get; init; }

    /// <summary>Adaptive-p, in place of the choice by chance; by default none.</summary>
    public AdaptivePSampler? AdaptiveP { get; init; }

    /// <summary>Whether the text is one to fill in, which ends where the end is likely; needs a vocabulary with an end-of-text token.</summary>
    public bool Infill { get; init; }

    /// <summary>
    /// The chain to use in place of llama.cpp's, exactly these and in this order, the last one selecting; then the properties
    /// above are unused. Bias, grammar and end-of-sequence apply in any case. <see langword="null"/>, the default, is llama.cpp's chain.
    /// </summary>
    public IReadOnlyList<Sampler>? Samplers { get; init; }

    /// <summary>The random numbers' seed; <see langword="null"/>, the default, is a random one.</summary>
    public uint? Seed { get; init; }

    /// <summary>What to add to the logits of tokens, by id, -100000 to 100000; negative infinity bans a token.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>Whether to ban the tokens that end a generation, so that only the token limit or a stop string ends it.</summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>A grammar that the text must follow, in GBNF (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md); by default none.</summary>
    public string? Grammar { get; init; }

    /// <summary>The grammar's start rule; by default <c>root</c>.</summary>
    public string GrammarRoot { get; init; } = "root";

    /// <summary>A JSON schema that the text follows, instead of a <see cref="Grammar"/>; by default none.</summary>
    public JsonSchema? JsonSchema { get; init; }

    /// <summary>
    /// The log-probabilities to report with each token: <see langword="null"/>, the default, for none, 0 for that of the token
    /// itself, else of that many of the most probable tokens too.
    /// </summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>
    /// Checks the options: refuses those that llama.cpp would abort on, that have no meaning, or that contradict each other. Blocks for a
    /// time that grows with the grammar, the biases and the samplers.
    /// </summary>
    /// <exception cref="ArgumentException">An option is not valid; the message says which, what is allowed, and how to mend it.</exception>
    public void Validate()
    {
        ValidateNumbers();
        ValidateContent();
    }

    /// <summary>Checks what takes no longer for larger options.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        OptionRange.Check(TopLogProbabilities, 0, 1000, nameof(TopLogProbabilities), "how many alternatives to report, null for none");
        SamplingChain.ValidateDefault(this);
        if (Grammar is not null && JsonSchema is not null)
        {
            throw new ArgumentException("Grammar and JsonSchema are both set, and each alone says what may be written: unset one.", nameof(JsonSchema));
        }
    }

    /// <summary>Checks what takes longer the larger it is.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateContent()
    {
        SamplingChain.ValidateLists(this);
        CheckGrammar();
    }

    /// <summary>
    /// The chain that these options make: each item is one native sampler, in order. Its first item is the logit bias if there
    /// is any, of the options, of the tokens to ignore, and of those that the model's vocabulary suppresses.
    /// </summary>
    /// <remarks>
    /// The grammar is not part of the chain. As in llama.cpp, the chain selects first, which is cheap; if the grammar refuses
    /// that token alone, the candidates are made anew from the logits, the grammar is applied to all of them, then the chain,
    /// which selects again. After each token, grammar and chain both accept it. Accepting a token that the grammar refuses
    /// ends the process, so a token whose logit is negative infinity after the second selection must never be accepted.
    /// </remarks>
    /// <param name="endOfGeneration">The vocabulary's tokens that end a generation.</param>
    /// <param name="suppressed">The tokens that the model's vocabulary says never to sample.</param>
    internal IReadOnlyList<Sampler> BuildChain(IReadOnlyList<int> endOfGeneration, IReadOnlyList<int> suppressed) =>
        SamplingChain.Build(this, endOfGeneration, suppressed);

    /// <summary>Refuses biases for tokens that the vocabulary lacks.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is one.</exception>
    internal void ValidateFor(int vocabularySize)
    {
        foreach (var token in LogitBias.Keys)
        {
            OptionRange.Check(token, 0, vocabularySize - 1, "LogitBias token", "the ids of the model's vocabulary");
        }
    }

    private void CheckGrammar()
    {
        if (Grammar is null)
        {
            return;
        }

        ArgumentNullException.ThrowIfNull(GrammarRoot);
        try
        {
            GrammarCheck.Check(Grammar, GrammarRoot);
        }
        catch (FormatException error)
        {
            throw new ArgumentException($"Grammar: {error.Message}.", nameof(Grammar), error);
        }
    }
}
