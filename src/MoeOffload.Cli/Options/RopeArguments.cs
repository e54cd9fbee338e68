using System.CommandLine;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options for contexts that are longer than those the model was trained with, with llama.cpp's names.</summary>
internal sealed class RopeArguments
{
    private const float LargestFactor = 1e9f;

    private readonly Option<RopeScaling?> _scaling = Opt.Choice(
        "How positions are scaled; the default is the model's own scaling",
        new Dictionary<string, RopeScaling> { ["none"] = RopeScaling.None, ["linear"] = RopeScaling.Linear, ["yarn"] = RopeScaling.Yarn },
        "--rope-scaling");

    private readonly Option<double?> _scale = Opt.Number("N", "Make the context N times as long as the model's", 1e-3, 1e6, "--rope-scale");
    private readonly Option<double?> _base = Opt.Number("N", "The base frequency of the positions", 1e-3, LargestFactor, "--rope-freq-base");
    private readonly Option<double?> _frequency = Opt.Number("F", "The factor of the frequencies; the inverse of --rope-scale", 1e-6, 1e3, "--rope-freq-scale");
    private readonly Option<int?> _original = Opt.Integer("N", "YaRN: the length that the model was trained with, in tokens", 1, 1 << 28, "--yarn-orig-ctx");
    private readonly Option<double?> _extrapolation = Opt.Number("F", "YaRN: the share of extrapolation; 0 only interpolates, and -1 uses the default", -1, 1, "--yarn-ext-factor");
    private readonly Option<double?> _attention = Opt.Number("F", "YaRN: the scaling of attention; -1 uses the default", -1, LargestFactor, "--yarn-attn-factor");
    private readonly Option<double?> _slow = Opt.Number("F", "YaRN: the high correction dimension; -1 uses the default", -1, LargestFactor, "--yarn-beta-slow");
    private readonly Option<double?> _fast = Opt.Number("F", "YaRN: the low correction dimension; -1 uses the default", -1, LargestFactor, "--yarn-beta-fast");

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _scaling, _scale, _base, _frequency, _original, _extrapolation, _attention, _slow, _fast })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(_scale) is not null && result.GetValue(_frequency) is not null)
            {
                result.AddError("--rope-scale and --rope-freq-scale cannot be combined: one is the inverse of the other.");
            }
        });
    }

    /// <summary>Reads the options of a command.</summary>
    public RopeOptions Read(ParseResult parsed) => new()
    {
        Scaling = parsed.GetValue(_scaling),
        FrequencyBase = (float?)parsed.GetValue(_base),
        FrequencyScale = parsed.GetValue(_scale) is { } scale ? (float)(1 / scale) : (float?)parsed.GetValue(_frequency),
        YarnOriginalContextLength = parsed.GetValue(_original),
        YarnExtrapolationFactor = Factor(parsed, _extrapolation),
        YarnAttentionFactor = Factor(parsed, _attention),
        YarnBetaSlow = Factor(parsed, _slow),
        YarnBetaFast = Factor(parsed, _fast),
    };

    // In llama.cpp, negative values mean the default.
    private static float? Factor(ParseResult parsed, Option<double?> option) => parsed.GetValue(option) is >= 0 and var factor ? (float)factor : null;
}
