using System.Globalization;
using System.Text.Json;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>
/// Reads the sampling options of a request. A field has OpenAI's name if there is one; otherwise, it has the name in llama.cpp's server,
/// which Ollama's <c>options</c> also use.
/// </summary>
internal static class GenerationFields
{
    private const int LongestHistory = 1 << 20;

    /// <summary>Reads sampling options.</summary>
    /// <param name="fields">The object that has the options.</param>
    /// <param name="defaults">The values of missing fields.</param>
    /// <param name="isOpenAI">Whether the ranges of OpenAI's API apply, instead of the wider ones of the samplers.</param>
    /// <exception cref="ApiException">A field has the wrong type or is out of range.</exception>
    public static SamplingOptions ReadSampling(JsonFields fields, SamplingOptions defaults, bool isOpenAI = false) => SamplerOrder.Apply(fields, defaults with
    {
        Temperature = fields.Number("temperature", 0, isOpenAI ? 2 : 100) ?? defaults.Temperature,
        DynamicTemperatureRange = fields.Number("dynatemp_range", 0, 100) ?? defaults.DynamicTemperatureRange,
        DynamicTemperatureExponent = fields.Number("dynatemp_exponent", 0, 100) ?? defaults.DynamicTemperatureExponent,

        // Some clients send -1 for "all", and others send 0.
        TopK = fields.Integer("top_k", -1, int.MaxValue) is { } topK ? Math.Max(0, topK) : defaults.TopK,
        TopP = fields.Number("top_p", 0, 1) ?? defaults.TopP,
        MinP = fields.Number("min_p", 0, 1) ?? defaults.MinP,
        TypicalP = fields.Number("typical_p", 0, 1) ?? defaults.TypicalP,
        TopNSigma = fields.Number("top_n_sigma", -1, 1000) is { } sigma ? Math.Max(0, sigma) : defaults.TopNSigma,
        MinKeep = fields.Integer("min_keep", 0, LongestHistory) ?? defaults.MinKeep,
        Seed = ReadSeed(fields) ?? defaults.Seed,
        Penalties = ReadPenalties(fields, defaults.Penalties, isOpenAI ? 2 : 100),
        Dry = ReadDry(fields, defaults.Dry),
        Xtc = ReadXtc(fields, defaults.Xtc),
        Mirostat = ReadMirostat(fields, defaults.Mirostat),
        LogitBias = fields.Any("logit_bias") is { } bias ? ReadBias(bias, fields.PathOf("logit_bias")) : defaults.LogitBias,
        IgnoreEndOfSequence = fields.Flag("ignore_eos") ?? defaults.IgnoreEndOfSequence,
        Grammar = fields.Text("grammar") is { Length: > 0 } grammar ? grammar : defaults.Grammar,
    });

    /// <summary>Reads the maximum number of tokens, of which the first name that has a value counts. As in llama.cpp's server, -1 is no limit.</summary>
    public static int? ReadMaxTokens(JsonFields fields, params ReadOnlySpan<string> names)
    {
        int? first = null;
        foreach (string name in names)
        {
            int? value = fields.Integer(name, -1);
            if (value == 0)
            {
                throw ApiException.Invalid($"'{fields.PathOf(name)}' must be at least 1, or -1 for no limit.", fields.PathOf(name));
            }

            first ??= value;
        }

        return first == -1 ? null : first;
    }

    /// <summary>Reads the ids of tokens that end the answer.</summary>
    public static IReadOnlyList<int> ReadStopTokens(JsonFields fields)
    {
        const string Name = "stop_token_ids";
        return
        [
            .. (fields.Items(Name) ?? []).Select(item => item.Value.ValueKind == JsonValueKind.Number && item.Value.TryGetInt32(out int token)
                ? token
                : throw JsonFields.Wrong(item.Path, "a token's id", item.Path)),
        ];
    }

    /// <summary>Reads the stop strings.</summary>
    public static IReadOnlyList<string> ReadStops(JsonFields fields, string name = "stop")
    {
        const int MostStops = 64;
        IReadOnlyList<string> stops = fields.Texts(name);
        return stops.Count > MostStops || stops.Any(text => text.Length == 0)
            ? throw ApiException.Invalid($"'{fields.PathOf(name)}' must be at most {MostStops} texts, none of them empty.", fields.PathOf(name))
            : stops;
    }

    // All 64 bits are used, but llama.cpp's seeds have 32 bits, and the largest value means a random seed, here as well.
    private static uint? ReadSeed(JsonFields fields) => fields.Long("seed") switch
    {
        null or -1 => null,
        { } seed => (uint)((ulong)seed % uint.MaxValue),
    };

    private static PenaltiesSampler? ReadPenalties(JsonFields fields, PenaltiesSampler? defaults, double most)
    {
        float? frequency = fields.Number("frequency_penalty", -most, most);
        float? presence = fields.Number("presence_penalty", -most, most);
        float? repeat = fields.Number("repeat_penalty", 0.01, 100) ?? fields.Number("repetition_penalty", 0.01, 100);
        int? last = fields.Integer("repeat_last_n", -1, LongestHistory);
        if (frequency is null && presence is null && repeat is null && last is null)
        {
            return defaults;
        }

        PenaltiesSampler penalties = defaults ?? new PenaltiesSampler();
        return penalties with
        {
            Frequency = frequency ?? penalties.Frequency,
            Presence = presence ?? penalties.Presence,
            Repeat = repeat ?? penalties.Repeat,
            LastTokens = All(last) ?? penalties.LastTokens,
        };
    }

    private static DrySampler? ReadDry(JsonFields fields, DrySampler? defaults)
    {
        DrySampler dry = defaults ?? new DrySampler();
        dry = dry with
        {
            Multiplier = fields.Number("dry_multiplier", 0, 100) ?? dry.Multiplier,
            Base = fields.Number("dry_base", 1, 100) ?? dry.Base,
            AllowedLength = fields.Integer("dry_allowed_length", 0, LongestHistory) ?? dry.AllowedLength,
            LastTokens = All(fields.Integer("dry_penalty_last_n", -1, LongestHistory)) ?? dry.LastTokens,
            SequenceBreakers = fields.Has("dry_sequence_breakers") ? fields.Texts("dry_sequence_breakers") : dry.SequenceBreakers,
        };
        return dry.Multiplier > 0 ? dry : defaults;
    }

    private static XtcSampler? ReadXtc(JsonFields fields, XtcSampler? defaults)
    {
        XtcSampler xtc = defaults ?? new XtcSampler();
        xtc = xtc with
        {
            Probability = fields.Number("xtc_probability", 0, 1) ?? xtc.Probability,
            Threshold = fields.Number("xtc_threshold", 0, 1) ?? xtc.Threshold,
        };
        return xtc.Probability > 0 ? xtc : defaults;
    }

    private static MirostatSampler? ReadMirostat(JsonFields fields, MirostatSampler? defaults)
    {
        int? version = fields.Integer("mirostat", 0, 2);
        float? entropy = fields.Number("mirostat_tau", 0, 100);
        float? rate = fields.Number("mirostat_eta", 0, 10);
        if (version == 0 || (version is null && defaults is null))
        {
            return null;
        }

        MirostatSampler mirostat = defaults ?? new MirostatSampler();
        return mirostat with
        {
            Version = version ?? mirostat.Version,
            TargetEntropy = entropy ?? mirostat.TargetEntropy,
            LearningRate = rate ?? mirostat.LearningRate,
        };
    }

    private static Dictionary<int, float> ReadBias(JsonElement bias, string path)
    {
        const int MostBiases = 1024;
        if (bias.ValueKind != JsonValueKind.Object)
        {
            throw JsonFields.Wrong(path, "an object of token ids and numbers", path);
        }

        var biases = new Dictionary<int, float>();
        foreach (JsonProperty item in bias.EnumerateObject())
        {
            if (!int.TryParse(item.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token)
                || item.Value.ValueKind != JsonValueKind.Number
                || !item.Value.TryGetDouble(out double value)
                || Math.Abs(value) > 100
                || biases.Count == MostBiases)
            {
                throw ApiException.Invalid($"'{path}' must have at most {MostBiases} token ids, each with a number from -100 to 100.", path);
            }

            // In OpenAI's API, the lowest value bans the token, and the highest value selects it exclusively.
            biases[token] = value <= -100 ? float.NegativeInfinity : value >= 100 ? 100_000 : (float)value;
        }

        return biases;
    }

    private static int? All(int? count) => count == -1 ? LongestHistory : count;
}
