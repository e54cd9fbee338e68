using MoeOffload.Inference.Grammars;
using MoeOffload.Inference.Sampling;
using MoeOffload.Schemas;
using MoeOffload.Shared;

namespace MoeOffload;

/// <summary>
/// Provides options for the selection of the next token. The samplers and their defaults are those of llama.cpp, in its order or in an
/// order of your own.
/// </summary>
/// <remarks>
/// If <see cref="Samplers"/> is <see langword="null"/>, the chain is that of llama.cpp: logit bias, penalties, DRY, top-n-sigma, top-k,
/// typical, top-p, min-p, XTC, infill, temperature, and finally the random selection or adaptive-p. If <see cref="Mirostat"/> is set, the
/// chain is logit bias, temperature and Mirostat. Samplers whose parameters disable them are left out.
/// </remarks>
public sealed record SamplingOptions
{
    /// <summary>Gets options that always select the most probable token: the temperature is 0, and all other samplers are disabled.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0, TopK = 0, TopP = 1, MinP = 0 };

    /// <summary>
    /// Gets or sets the temperature, from 0 to 100. Values below 1 favor probable tokens, values above 1 favor improbable ones, and 0
    /// selects the most probable token. The default is 0.8.
    /// </summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>
    /// Gets or sets how far the temperature varies with the entropy of the candidates, from 0 to 100. The default is 0, which keeps the
    /// temperature constant.
    /// </summary>
    public float DynamicTemperatureRange { get; init; }

    /// <summary>Gets or sets the exponent of the entropy for a dynamic temperature, from 0 to 100. The default is 1.</summary>
    public float DynamicTemperatureExponent { get; init; } = 1;

    /// <summary>
    /// Gets or sets the number of most probable candidates that top-k keeps. If the value is 0, all candidates are kept. The default is 40.
    /// </summary>
    public int TopK { get; init; } = 40;

    /// <summary>
    /// Gets or sets the cumulative probability, from 0 to 1, up to which top-p keeps the most probable candidates. If the value is 1, all
    /// candidates are kept. The default is 0.95.
    /// </summary>
    public float TopP { get; init; } = 0.95f;

    /// <summary>
    /// Gets or sets the minimum probability of a candidate for min-p, from 0 to 1, as a share of the highest probability. If the value is
    /// 0, all candidates are kept. The default is 0.05.
    /// </summary>
    public float MinP { get; init; } = 0.05f;

    /// <summary>
    /// Gets or sets the cumulative probability, from 0 to 1, up to which locally typical candidates are kept. The default is 1, which keeps
    /// all candidates.
    /// </summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>
    /// Gets or sets the number of standard deviations from the highest logit within which candidates are kept. The default is 0, which
    /// keeps all candidates.
    /// </summary>
    public float TopNSigma { get; init; }

    /// <summary>
    /// Gets or sets the minimum number of candidates that top-p, min-p, typical and XTC keep. The default is 0, which keeps at least one.
    /// </summary>
    public int MinKeep { get; init; }

    /// <summary>
    /// Gets or sets the penalties for tokens that occurred recently, or <see langword="null"/> for none. The default is
    /// <see langword="null"/>.
    /// </summary>
    public PenaltiesSampler? Penalties { get; init; }

    /// <summary>
    /// Gets or sets the DRY sampler, which penalizes repeated sequences, or <see langword="null"/> for none. The default is
    /// <see langword="null"/>.
    /// </summary>
    public DrySampler? Dry { get; init; }

    /// <summary>
    /// Gets or sets the XTC sampler, which excludes top choices, or <see langword="null"/> for none. The default is <see langword="null"/>.
    /// </summary>
    public XtcSampler? Xtc { get; init; }

    /// <summary>
    /// Gets or sets the Mirostat sampler, which replaces all other samplers except the temperature, or <see langword="null"/> for none. The
    /// default is <see langword="null"/>.
    /// </summary>
    public MirostatSampler? Mirostat { get; init; }

    /// <summary>
    /// Gets or sets the adaptive-p sampler, which replaces the random selection, or <see langword="null"/> for none. The default is
    /// <see langword="null"/>.
    /// </summary>
    public AdaptivePSampler? AdaptiveP { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether the text is a fill-in-the-middle task, which ends if an end is probable. Requires a
    /// vocabulary with an end-of-text token. The default is <see langword="false"/>.
    /// </summary>
    public bool Infill { get; init; }

    /// <summary>
    /// Gets or sets the samplers that replace the chain of llama.cpp, in the order in which they are applied, or <see langword="null"/> to
    /// use the chain of llama.cpp. The last one must select a token. The properties above are not used if this property is set;
    /// <see cref="LogitBias"/>, <see cref="IgnoreEndOfSequence"/>, <see cref="Grammar"/> and <see cref="JsonSchema"/> always apply. The
    /// default is <see langword="null"/>.
    /// </summary>
    public IReadOnlyList<Sampler>? Samplers { get; init; }

    /// <summary>
    /// Gets or sets the seed of the random number generator, or <see langword="null"/> for a random seed. The default is
    /// <see langword="null"/>.
    /// </summary>
    public uint? Seed { get; init; }

    /// <summary>
    /// Gets or sets the values that are added to the logits of tokens, by token id, each from -100000 to 100000.
    /// <see cref="float.NegativeInfinity"/> bans a token.
    /// </summary>
    public IReadOnlyDictionary<int, float> LogitBias
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(LogitBias));
    } = new Dictionary<int, float>();

    /// <summary>
    /// Gets or sets a value that indicates whether end-of-generation tokens are banned, so that only a limit or a stop string ends the
    /// generation. The default is <see langword="false"/>.
    /// </summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>
    /// Gets or sets the grammar that the text must follow, in GBNF (https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md),
    /// or <see langword="null"/> for none. The default is <see langword="null"/>.
    /// </summary>
    public string? Grammar { get; init; }

    /// <summary>Gets or sets the start rule of the grammar. The default is <c>root</c>.</summary>
    public string GrammarRoot
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(GrammarRoot));
    } = "root";

    /// <summary>
    /// Gets or sets the JSON schema that the text must follow, or <see langword="null"/> for none. It cannot be combined with
    /// <see cref="Grammar"/>. The default is <see langword="null"/>.
    /// </summary>
    public JsonSchema? JsonSchema { get; init; }

    /// <summary>
    /// Gets or sets the number of most probable tokens whose log-probabilities are reported with each token. If the value is 0, only the
    /// log-probability of the token itself is reported. The default is <see langword="null"/>, which reports none.
    /// </summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>
    /// Validates the options: rejects those on which llama.cpp would abort, that have no meaning, or that contradict each other. Blocks for a
    /// time that grows with the grammar, the biases and the samplers; see <see cref="ValidateAsync"/>.
    /// </summary>
    /// <remarks>Calling this method is optional: a generation validates its options on another thread before it starts.</remarks>
    /// <exception cref="ArgumentException">An option is not valid. The message names the option, its range and a remedy.</exception>
    public void Validate()
    {
        ValidateNumbers();
        ValidateContent();
    }

    /// <summary>Validates the options without blocking the caller.</summary>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <inheritdoc cref="Validate" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task ValidateAsync(CancellationToken cancellationToken = default) => BackgroundCall.ComputeAsync(Validate, cancellationToken);

    /// <summary>Validates the options that can be checked in constant time.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        OptionRange.Check(TopLogProbabilities, 0, 1000, nameof(TopLogProbabilities), "the number of alternatives to report, null for none");
        SamplingChain.ValidateDefault(this);
        if (Grammar is not null && JsonSchema is not null)
        {
            throw new ArgumentException("Grammar and JsonSchema are both set, but only one of them can apply. Set one of them to null.", nameof(JsonSchema));
        }
    }

    /// <summary>Validates the options whose check takes longer the larger they are.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateContent()
    {
        SamplingChain.ValidateLists(this);
        CheckGrammar();
    }

    /// <summary>
    /// Creates the chain for these options. Each item is one native sampler. The first item is the logit bias, if there is any: from the
    /// options, for ignored end-of-generation tokens, and for tokens that the model's vocabulary suppresses.
    /// </summary>
    /// <param name="endOfGeneration">The end-of-generation tokens of the vocabulary.</param>
    /// <param name="suppressed">The tokens that the model's vocabulary excludes from sampling.</param>
    /// <remarks>
    /// The grammar is not part of the chain. As in llama.cpp, the chain selects a token first, which is cheap. If the grammar rejects that
    /// token, the candidates are created from the logits again, the grammar is applied to all of them, and the chain selects again. The
    /// grammar and the chain both accept each token. Accepting a token that the grammar rejects would end the process, so a token whose
    /// logit is negative infinity after the second selection must not be accepted.
    /// </remarks>
    internal IReadOnlyList<Sampler> BuildChain(IReadOnlyList<int> endOfGeneration, IReadOnlyList<int> suppressed) =>
        SamplingChain.Build(this, endOfGeneration, suppressed);

    /// <summary>Rejects biases for tokens that are not in the vocabulary.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A bias is for a token that is not in the vocabulary.</exception>
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
