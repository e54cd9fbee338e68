using MoeOffload.Native;

namespace MoeOffload.Inference.Sampling;

/// <summary>Creates the native samplers for sampling options.</summary>
internal static class SamplerBuilder
{
    /// <summary>Creates the samplers for validated options, and the grammar of the output format if there is one.</summary>
    /// <exception cref="ArgumentException">The grammar is not valid, or an option names a token that is not in the vocabulary.</exception>
    public static NativeSampler Build(NativeVocabulary vocabulary, SamplingOptions options, OutputFormat? format = null)
    {
        options.ValidateFor(vocabulary.Size);
        int[] ends = options.IgnoreEndOfSequence ? vocabulary.EndOfGenerationTokens : [];
        Sampler[] chain = Simplify([.. options.BuildChain(ends, vocabulary.ReadSuppressed())]);
        SamplerHandle? grammar = format?.Rendered is { } rendered ? NativeChat.MakeSampler(vocabulary, rendered)
            : options.Grammar is { } text ? SamplerHandle.OfGrammar(vocabulary, text, options.GrammarRoot)
            : options.JsonSchema is { } schema ? SamplerHandle.OfGrammar(vocabulary, schema.ToGrammar(), "root")
            : null;
        return new NativeSampler(chain is [GreedySampler] ? null : MakeChain(vocabulary, chain), grammar);
    }

    // Temperature 0 leaves one candidate, but selecting it at random would still sort and exponentiate the whole vocabulary. Samplers
    // directly before it that keep the best candidates would sort for nothing, because the best candidate is always kept.
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

    private static SamplerHandle MakeChain(NativeVocabulary vocabulary, IReadOnlyList<Sampler> samplers)
    {
        var chain = new NativeSamplerChain(vocabulary);
        foreach (Sampler sampler in samplers)
        {
            Add(chain, vocabulary, sampler);
        }

        return chain.Handle;
    }

    private static void Add(NativeSamplerChain chain, NativeVocabulary vocabulary, Sampler sampler)
    {
        switch (sampler)
        {
            case LogitBiasSampler it:
                chain.AddLogitBias(it.Biases);
                break;
            case PenaltiesSampler it:
                chain.AddPenalties(it.LastTokens, it.Repeat, it.Frequency, it.Presence);
                break;
            case DrySampler it:
                chain.AddDry(it.Multiplier, it.Base, it.AllowedLength, it.LastTokens, it.SequenceBreakers);
                break;
            case TopNSigmaSampler it:
                chain.AddTopNSigma(it.N);
                break;
            case TopKSampler it:
                chain.AddTopK(it.K);
                break;
            case TypicalPSampler it:
                chain.AddTypical(it.P, it.MinKeep);
                break;
            case TopPSampler it:
                chain.AddTopP(it.P, it.MinKeep);
                break;
            case MinPSampler it:
                chain.AddMinP(it.P, it.MinKeep);
                break;
            case XtcSampler it:
                chain.AddXtc(it.Probability, it.Threshold, it.MinKeep, Seed(it.Seed));
                break;
            case TemperatureSampler it:
                chain.AddTemperature(it.Temperature, it.DynamicRange, it.DynamicExponent);
                break;
            case InfillSampler when vocabulary.EndOfTurn < 0 && vocabulary.EndOfSequence < 0:
                throw new ArgumentException("Infill requires an end-of-turn or end-of-sequence token, but the model has neither.");
            case InfillSampler:
                chain.AddInfill();
                break;
            case GreedySampler:
                chain.AddGreedy();
                break;
            case DistributionSampler it:
                chain.AddDistribution(Seed(it.Seed));
                break;
            case AdaptivePSampler it:
                chain.AddAdaptiveP(it.Target, it.Decay, Seed(it.Seed));
                break;
            case MirostatSampler { Version: 1 } it:
                chain.AddMirostat(it.TargetEntropy, it.LearningRate, it.EstimateTokens, Seed(it.Seed));
                break;
            case MirostatSampler it:
                chain.AddMirostatV2(it.TargetEntropy, it.LearningRate, Seed(it.Seed));
                break;
            default:
                throw new NotSupportedException($"Unknown sampler {sampler.Name}.");
        }
    }

    private static uint Seed(uint? seed) => seed ?? NativeSamplerChain.RandomSeed;
}
