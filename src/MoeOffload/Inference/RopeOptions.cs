namespace MoeOffload;

/// <summary>Overrides of the rotary position embedding. Null takes the model's own value.</summary>
public sealed record RopeOptions
{
    /// <summary>Kind of scaling.</summary>
    public RopeScaling? Scaling { get; set; }

    /// <summary>Base frequency, greater than 0.</summary>
    public float? FrequencyBase { get; set; }

    /// <summary>Frequency scaling factor, greater than 0: 0.5 doubles the context.</summary>
    public float? FrequencyScale { get; set; }

    /// <summary>YaRN's extrapolation mix, from 0 (all interpolated) to 1.</summary>
    public float? YarnExtrapolation { get; set; }

    /// <summary>YaRN's scaling of the attention's magnitude, 0 or more.</summary>
    public float? YarnAttention { get; set; }

    /// <summary>YaRN's low correction dimension, 0 or more.</summary>
    public float? YarnBetaFast { get; set; }

    /// <summary>YaRN's high correction dimension, 0 or more.</summary>
    public float? YarnBetaSlow { get; set; }

    /// <summary>Context length, in tokens, before YaRN stretched it.</summary>
    public int? YarnOriginalContext { get; set; }

    internal void Validate()
    {
        OptionRange.CheckDefined(Scaling, nameof(Scaling));
        CheckPositive(FrequencyBase, nameof(FrequencyBase));
        CheckPositive(FrequencyScale, nameof(FrequencyScale));
        CheckRange(YarnExtrapolation, 1, nameof(YarnExtrapolation));
        CheckRange(YarnAttention, float.MaxValue, nameof(YarnAttention));
        CheckRange(YarnBetaFast, float.MaxValue, nameof(YarnBetaFast));
        CheckRange(YarnBetaSlow, float.MaxValue, nameof(YarnBetaSlow));
        if (YarnOriginalContext is <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(YarnOriginalContext), YarnOriginalContext, "Give a number of tokens, or null for the model's.");
        }
    }

    private static void CheckPositive(float? value, string name)
    {
        if (value is { } number && !(number > 0 && float.IsFinite(number)))
        {
            throw new ArgumentOutOfRangeException(name, value, "Give a finite number greater than 0, or null for the model's.");
        }
    }

    private static void CheckRange(float? value, float largest, string name)
    {
        if (value is { } number && !(number >= 0 && number <= largest))
        {
            throw new ArgumentOutOfRangeException(name, value, $"Give a number from 0 to {largest}, or null for the model's.");
        }
    }
}
