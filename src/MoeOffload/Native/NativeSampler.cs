using MoeOffload.Chat;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A request's samplers: the chain that selects, and the grammar that it must obey.</summary>
internal sealed unsafe class NativeSampler : IDisposable
{
    private readonly SamplerHandle? _chain;
    private readonly SamplerHandle? _grammar;

    private NativeSampler(SamplerHandle? chain, SamplerHandle? grammar)
    {
        _chain = chain;
        _grammar = grammar;
    }

    /// <summary>Keeps the samplers for one native call, also if they are disposed meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">They were disposed.</exception>
    public Reference Acquire() => new(_chain, _grammar);

    /// <summary>Makes the samplers that validated options, and the chat if it is one, ask for.</summary>
    /// <exception cref="ArgumentException">The grammar has an error, or an option names a token outside the vocabulary.</exception>
    public static NativeSampler Create(NativeVocabulary vocabulary, SamplingOptions options, RenderedChat? chat = null)
    {
        options.ValidateFor(vocabulary.Size);
        int[] ends = options.IgnoreEndOfSequence ? vocabulary.EndOfGenerationTokens : [];
        Sampler[] chain = Simplify([.. options.BuildChain(ends, Suppressed(vocabulary))]);
        SamplerHandle? grammar = chat?.Grammar is not null ? NativeChat.MakeSampler(vocabulary, chat.Json)
            : options.Grammar is { } text ? MakeGrammar(vocabulary, text, options.GrammarRoot)
            : options.JsonSchema is { } schema ? MakeGrammar(vocabulary, schema.ToGrammar(), "root")
            : null;
        return new NativeSampler(chain is [GreedySampler] ? null : MakeChain(vocabulary, chain), grammar);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _chain?.Dispose();
        _grammar?.Dispose();
    }

    // Temperature 0 leaves one candidate, and drawing from it sorts and exponentiates the whole vocabulary first. What keeps the best
    // candidates just before it sorts them for nothing: the best one is always among them.
    private static Sampler[] Simplify(Sampler[] chain)
    {
        if (chain is not [.. var before, TemperatureSampler { Temperature: 0, DynamicRange: 0 }, DistributionSampler])
        {
            return chain;
        }

        while (before is [.. var earlier, TopNSigmaSampler or TopKSampler or TopPSampler or MinPSampler])
        {
            before = earlier;
        }

        return [.. before, new GreedySampler()];
    }

    private static int[] Suppressed(NativeVocabulary vocabulary)
    {
        int count = 0;
        int* tokens = LlamaApi.llama_vocab_get_suppress_tokens(vocabulary.Pointer, &count);
        return tokens == null ? [] : new ReadOnlySpan<int>(tokens, count).ToArray();
    }

    private static SamplerHandle MakeGrammar(NativeVocabulary vocabulary, string grammar, string root)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        llama_sampler* sampler;
        fixed (byte* text = Utf8.ToTerminated(grammar, "The grammar"))
        fixed (byte* start = Utf8.ToTerminated(root, "The grammar's root"))
        {
            moe_status status = ShimApi.moe_sampler_grammar(vocabulary.Pointer, text, start, &sampler, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new ArgumentException(NativeError.Describe("The grammar has an error", status, error), nameof(grammar));
            }
        }

        return new SamplerHandle(sampler);
    }

    private static SamplerHandle MakeChain(NativeVocabulary vocabulary, IReadOnlyList<Sampler> samplers)
    {
        llama_sampler* chain = LlamaApi.llama_sampler_chain_init(LlamaApi.llama_sampler_chain_default_params());
        var handle = new SamplerHandle(chain);
        foreach (Sampler sampler in samplers)
        {
            LlamaApi.llama_sampler_chain_add(chain, Make(vocabulary, sampler));
        }

        return handle;
    }

    private static llama_sampler* Make(NativeVocabulary vocabulary, Sampler sampler) => sampler switch
    {
        LogitBiasSampler bias => MakeBias(vocabulary, bias),
        PenaltiesSampler it => LlamaApi.llama_sampler_init_penalties(vocabulary.Size, it.LastTokens, it.Repeat, it.Frequency, it.Presence),
        DrySampler it => MakeDry(vocabulary, it),
        TopNSigmaSampler it => LlamaApi.llama_sampler_init_top_n_sigma(it.N),
        TopKSampler it => LlamaApi.llama_sampler_init_top_k(it.K),
        TypicalPSampler it => LlamaApi.llama_sampler_init_typical(it.P, (nuint)it.MinKeep),
        TopPSampler it => LlamaApi.llama_sampler_init_top_p(it.P, (nuint)it.MinKeep),
        MinPSampler it => LlamaApi.llama_sampler_init_min_p(it.P, (nuint)it.MinKeep),
        XtcSampler it => LlamaApi.llama_sampler_init_xtc(it.Probability, it.Threshold, (nuint)it.MinKeep, Seed(it.Seed)),
        TemperatureSampler it => LlamaApi.llama_sampler_init_temp_ext(it.Temperature, it.DynamicRange, it.DynamicExponent),
        InfillSampler when vocabulary.EndOfTurn < 0 && vocabulary.EndOfSequence < 0 => throw new ArgumentException(
            "Infill needs an end-of-turn or end-of-sequence token, and the model has neither."),
        InfillSampler => LlamaApi.llama_sampler_init_infill(vocabulary.Pointer),
        GreedySampler => LlamaApi.llama_sampler_init_greedy(),
        DistributionSampler it => LlamaApi.llama_sampler_init_dist(Seed(it.Seed)),
        AdaptivePSampler it => LlamaApi.llama_sampler_init_adaptive_p(it.Target, it.Decay, Seed(it.Seed)),
        MirostatSampler { Version: 1 } it => LlamaApi.llama_sampler_init_mirostat(
            vocabulary.Size, Seed(it.Seed), it.TargetEntropy, it.LearningRate, it.EstimateTokens),
        MirostatSampler it => LlamaApi.llama_sampler_init_mirostat_v2(Seed(it.Seed), it.TargetEntropy, it.LearningRate),
        _ => throw new NotSupportedException($"Unknown sampler {sampler.Name}."),
    };

    private static uint Seed(uint? seed) => seed ?? LlamaApi.LLAMA_DEFAULT_SEED;

    private static llama_sampler* MakeBias(NativeVocabulary vocabulary, LogitBiasSampler sampler)
    {
        llama_logit_bias[] biases = [.. sampler.Biases.Select(bias => new llama_logit_bias { token = bias.Key, bias = bias.Value })];
        fixed (llama_logit_bias* list = biases)
        {
            return LlamaApi.llama_sampler_init_logit_bias(vocabulary.Size, biases.Length, list);
        }
    }

    private static llama_sampler* MakeDry(NativeVocabulary vocabulary, DrySampler sampler)
    {
        using var scope = new NativeMemoryScope();
        byte** breakers = (byte**)scope.Allocate<nint>(sampler.SequenceBreakers.Count);
        for (int i = 0; i < sampler.SequenceBreakers.Count; i++)
        {
            breakers[i] = scope.Text(sampler.SequenceBreakers[i], "A sequence breaker");
        }

        return LlamaApi.llama_sampler_init_dry(
            vocabulary.Pointer, sampler.Multiplier, sampler.Base, sampler.AllowedLength, sampler.LastTokens,
            breakers, (nuint)sampler.SequenceBreakers.Count);
    }

    /// <summary>Samplers that are not freed before this is disposed.</summary>
    public readonly ref struct Reference
    {
        private readonly SamplerHandle? _chain;
        private readonly SamplerHandle? _grammar;

        internal Reference(SamplerHandle? chain, SamplerHandle? grammar)
        {
            bool isHeld = false;
            chain?.DangerousAddRef(ref isHeld);
            _chain = chain;
            try
            {
                grammar?.DangerousAddRef(ref isHeld);
                _grammar = grammar;
            }
            catch
            {
                chain?.DangerousRelease();
                throw;
            }
        }

        /// <summary>The chain; NULL selects the largest logit.</summary>
        public llama_sampler* Chain => _chain is null ? null : _chain.Pointer;

        /// <summary>The grammar, or NULL.</summary>
        public llama_sampler* Grammar => _grammar is null ? null : _grammar.Pointer;

        /// <summary>Gives them back.</summary>
        public void Dispose()
        {
            _chain?.DangerousRelease();
            _grammar?.DangerousRelease();
        }
    }
}
