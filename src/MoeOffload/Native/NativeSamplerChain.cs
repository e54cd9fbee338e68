using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Builds a chain of llama.cpp's samplers, which run in the order in which they are added.</summary>
internal sealed unsafe class NativeSamplerChain
{
    private readonly NativeVocabulary _vocabulary;

    /// <summary>Initializes a new instance of the <see cref="NativeSamplerChain"/> class without samplers.</summary>
    public NativeSamplerChain(NativeVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        Handle = new SamplerHandle(LlamaApi.llama_sampler_chain_init(LlamaApi.llama_sampler_chain_default_params()));
    }

    /// <summary>Gets the seed that stands for a random one.</summary>
    public static uint RandomSeed => LlamaApi.LLAMA_DEFAULT_SEED;

    /// <summary>Gets the chain.</summary>
    public SamplerHandle Handle { get; }

    public void AddLogitBias(IReadOnlyDictionary<int, float> biases)
    {
        llama_logit_bias[] entries = [.. biases.Select(bias => new llama_logit_bias { token = bias.Key, bias = bias.Value })];
        fixed (llama_logit_bias* list = entries)
        {
            Add(LlamaApi.llama_sampler_init_logit_bias(_vocabulary.Size, entries.Length, list));
        }
    }

    public void AddPenalties(int lastTokens, float repeat, float frequency, float presence) =>
        Add(LlamaApi.llama_sampler_init_penalties(_vocabulary.Size, lastTokens, repeat, frequency, presence));

    public void AddDry(float multiplier, float @base, int allowedLength, int lastTokens, IReadOnlyList<string> sequenceBreakers)
    {
        using var scope = new NativeMemoryScope();
        using HandleUse use = new(_vocabulary.Model);
        byte** breakers = (byte**)scope.Allocate<nint>(sequenceBreakers.Count);
        for (int i = 0; i < sequenceBreakers.Count; i++)
        {
            breakers[i] = scope.Text(sequenceBreakers[i], "A sequence breaker");
        }

        Add(LlamaApi.llama_sampler_init_dry(
            _vocabulary.Pointer, multiplier, @base, allowedLength, lastTokens, breakers, (nuint)sequenceBreakers.Count));
    }

    public void AddTopNSigma(float n) => Add(LlamaApi.llama_sampler_init_top_n_sigma(n));

    public void AddTopK(int k) => Add(LlamaApi.llama_sampler_init_top_k(k));

    public void AddTypical(float p, int minKeep) => Add(LlamaApi.llama_sampler_init_typical(p, (nuint)minKeep));

    public void AddTopP(float p, int minKeep) => Add(LlamaApi.llama_sampler_init_top_p(p, (nuint)minKeep));

    public void AddMinP(float p, int minKeep) => Add(LlamaApi.llama_sampler_init_min_p(p, (nuint)minKeep));

    public void AddXtc(float probability, float threshold, int minKeep, uint seed) =>
        Add(LlamaApi.llama_sampler_init_xtc(probability, threshold, (nuint)minKeep, seed));

    public void AddTemperature(float temperature, float dynamicRange, float dynamicExponent) =>
        Add(LlamaApi.llama_sampler_init_temp_ext(temperature, dynamicRange, dynamicExponent));

    public void AddInfill()
    {
        using HandleUse use = new(_vocabulary.Model);
        Add(LlamaApi.llama_sampler_init_infill(_vocabulary.Pointer));
    }

    public void AddGreedy() => Add(LlamaApi.llama_sampler_init_greedy());

    public void AddDistribution(uint seed) => Add(LlamaApi.llama_sampler_init_dist(seed));

    public void AddAdaptiveP(float target, float decay, uint seed) => Add(LlamaApi.llama_sampler_init_adaptive_p(target, decay, seed));

    public void AddMirostat(float targetEntropy, float learningRate, int estimateTokens, uint seed) =>
        Add(LlamaApi.llama_sampler_init_mirostat(_vocabulary.Size, seed, targetEntropy, learningRate, estimateTokens));

    public void AddMirostatV2(float targetEntropy, float learningRate, uint seed) =>
        Add(LlamaApi.llama_sampler_init_mirostat_v2(seed, targetEntropy, learningRate));

    private void Add(llama_sampler* sampler) => LlamaApi.llama_sampler_chain_add(Handle.Pointer, sampler);
}
