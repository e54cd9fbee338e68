namespace MoeOffload.Inference.Sampling;

/// <summary>Creates the chain of samplers that sampling options describe, in the order of llama.cpp's tools.</summary>
internal static class SamplingChain
{
    /// <summary>
    /// Creates the samplers of the chain. Disabled samplers are left out, unless they are listed in <see cref="SamplingOptions.Samplers"/>.
    /// </summary>
    public static IReadOnlyList<Sampler> Build(
        SamplingOptions options, IReadOnlyList<int> endOfGeneration, IReadOnlyList<int> suppressed)
    {
        Sampler bias = Bias(options, endOfGeneration, suppressed);
        var chain = options.Samplers ?? Default(options).Where(sampler => !sampler.DoesNothing);
        return [.. (bias.DoesNothing ? [] : new[] { bias }).Concat(chain).Select(sampler => sampler.WithSeed(options.Seed))];
    }

    /// <summary>Validates the parameters of the default chain, whose length is fixed, including those of disabled samplers.</summary>
    /// <exception cref="ArgumentException">A parameter is not valid.</exception>
    public static void ValidateDefault(SamplingOptions options)
    {
        new DistributionSampler(options.Seed).Validate();
        if (options.Samplers is not null)
        {
            return;
        }

        CheckMirostat(options);
        foreach (var sampler in Default(options))
        {
            sampler.Validate();
        }
    }

    /// <summary>Validates the options of variable length: the biases and the list of samplers.</summary>
    /// <exception cref="ArgumentException">A parameter is not valid, or the samplers do not form a valid chain.</exception>
    public static void ValidateLists(SamplingOptions options)
    {
        Bias(options, [], []).Validate();
        if (options.Samplers is not { } samplers)
        {
            return;
        }

        CheckExplicit(samplers, nameof(options.Samplers));
        foreach (var sampler in samplers)
        {
            sampler.Validate();
        }
    }

    private static void CheckExplicit(IReadOnlyList<Sampler> samplers, string name)
    {
        const string Remedy = "use exactly one greedy, distribution, Mirostat or adaptive-p sampler, at the end of the chain";
        if (samplers.Count == 0)
        {
            throw new ArgumentException($"{name} is empty. Use null for llama.cpp's chain, or {Remedy}.", name);
        }

        for (var i = 0; i < samplers.Count; i++)
        {
            if (samplers[i] is null)
            {
                throw new ArgumentException($"{name}[{i}] is null. Remove it.", name);
            }

            if (samplers[i].Selects != (i == samplers.Count - 1))
            {
                throw new ArgumentException(
                    $"{name}[{i}], {samplers[i].Name}, {(samplers[i].Selects ? "selects a token before the chain's end" : "ends the chain without selecting a token")}: {Remedy}.",
                    name);
            }
        }
    }

    private static LogitBiasSampler Bias(
        SamplingOptions options, IReadOnlyList<int> endOfGeneration, IReadOnlyList<int> suppressed)
    {
        var biases = new Dictionary<int, float>(options.LogitBias);
        foreach (var token in options.IgnoreEndOfSequence ? endOfGeneration.Concat(suppressed) : suppressed)
        {
            biases[token] = float.NegativeInfinity;
        }

        return new LogitBiasSampler(biases);
    }

    private static IEnumerable<Sampler> Default(SamplingOptions options)
    {
        var temperature = new TemperatureSampler(options.Temperature)
        {
            DynamicRange = options.DynamicTemperatureRange,
            DynamicExponent = options.DynamicTemperatureExponent,
        };
        if (options.Mirostat is { } mirostat)
        {
            return [temperature, mirostat];
        }

        IEnumerable<Sampler?> chain =
        [
            options.Penalties,
            options.Dry,
            new TopNSigmaSampler(options.TopNSigma),
            new TopKSampler(options.TopK),
            new TypicalPSampler(options.TypicalP, options.MinKeep),
            new TopPSampler(options.TopP, options.MinKeep),
            new MinPSampler(options.MinP, options.MinKeep),
            options.Xtc is { MinKeep: 0 } xtc ? xtc with { MinKeep = options.MinKeep } : options.Xtc,
            options.Infill ? new InfillSampler() : null,
            temperature,
            options.AdaptiveP ?? (Sampler)new DistributionSampler(),
        ];
        return chain.OfType<Sampler>();
    }

    private static void CheckMirostat(SamplingOptions options)
    {
        if (options.Mirostat is null)
        {
            return;
        }

        (string Name, bool IsSet)[] unused =
        [
            (nameof(SamplingOptions.Penalties), options.Penalties is not null),
            (nameof(SamplingOptions.Dry), options.Dry is not null),
            (nameof(SamplingOptions.Xtc), options.Xtc is not null),
            (nameof(SamplingOptions.AdaptiveP), options.AdaptiveP is not null),
            (nameof(SamplingOptions.Infill), options.Infill),
            (nameof(SamplingOptions.TopNSigma), options.TopNSigma != 0),
            (nameof(SamplingOptions.DynamicTemperatureRange), options.DynamicTemperatureRange != 0),
        ];
        foreach (var (name, isSet) in unused)
        {
            if (isSet)
            {
                throw new ArgumentException(
                    $"{name} is set together with Mirostat, which uses only the temperature. Set one of them to null, or specify the chain in Samplers.", name);
            }
        }
    }
}
