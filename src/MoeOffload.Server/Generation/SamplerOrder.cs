using System.Text.Json;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Reads llama.cpp's <c>samplers</c>: the samplers to apply, in their order.</summary>
internal static class SamplerOrder
{
    // llama.cpp's own order, and the letters for it.
    private static readonly string[] s_default = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"];

    private static readonly Dictionary<char, string> s_letters = new()
    {
        ['e'] = "penalties",
        ['d'] = "dry",
        ['s'] = "top_n_sigma",
        ['k'] = "top_k",
        ['y'] = "typ_p",
        ['p'] = "top_p",
        ['m'] = "min_p",
        ['x'] = "xtc",
        ['t'] = "temperature",
        ['i'] = "infill",
    };

    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["top-k"] = "top_k",
        ["top-p"] = "top_p",
        ["nucleus"] = "top_p",
        ["top-n-sigma"] = "top_n_sigma",
        ["typical-p"] = "typ_p",
        ["typical"] = "typ_p",
        ["typical_p"] = "typ_p",
        ["typ-p"] = "typ_p",
        ["typ"] = "typ_p",
        ["min-p"] = "min_p",
        ["temp"] = "temperature",
    };

    /// <summary>Applies the order to sampling options, if a request specifies one that is not the default.</summary>
    /// <exception cref="ApiException">A sampler is unknown.</exception>
    public static SamplingOptions Apply(JsonFields fields, SamplingOptions options)
    {
        if (fields.Any("samplers") is not { } value)
        {
            return options;
        }

        string path = fields.PathOf("samplers");
        string[] names = value.ValueKind == JsonValueKind.String
            ? [.. value.GetString()!.Select(letter => s_letters.GetValueOrDefault(letter) ?? throw Unknown(letter.ToString(), path))]
            : [.. fields.Texts("samplers").Select(name => s_names.GetValueOrDefault(name, name))];
        return names.SequenceEqual(s_default) || options.Mirostat is not null
            ? options
            : options with { Samplers = [.. names.Select(name => Make(name, options, path)).OfType<Sampler>(), new DistributionSampler()] };
    }

    private static Sampler? Make(string name, SamplingOptions options, string path) => name switch
    {
        "penalties" => options.Penalties,
        "dry" => options.Dry,
        "top_n_sigma" => new TopNSigmaSampler(options.TopNSigma),
        "top_k" => new TopKSampler(options.TopK),
        "typ_p" => new TypicalPSampler(options.TypicalP, options.MinKeep),
        "top_p" => new TopPSampler(options.TopP, options.MinKeep),
        "min_p" => new MinPSampler(options.MinP, options.MinKeep),
        "xtc" => options.Xtc,
        "infill" => new InfillSampler(),
        "temperature" => new TemperatureSampler(options.Temperature)
        {
            DynamicRange = options.DynamicTemperatureRange,
            DynamicExponent = options.DynamicTemperatureExponent,
        },
        _ => throw Unknown(name, path),
    };

    private static ApiException Unknown(string name, string path) => ApiException.Invalid(
        $"'{path}' has '{(name.Length > 40 ? name[..40] : name)}', which is not a sampler. The samplers are {string.Join(", ", s_default)}.", path);
}
