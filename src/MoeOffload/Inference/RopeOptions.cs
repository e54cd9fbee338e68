namespace MoeOffload;

/// <summary>
/// Provides options that override the model's rotary position embedding (RoPE). A property that is <see langword="null"/> uses the model's
/// value.
/// </summary>
public sealed record RopeOptions
{
    /// <summary>Gets or sets the kind of scaling.</summary>
    public RopeScaling? Scaling { get; set; }

    /// <summary>Gets or sets the base frequency, which must be greater than 0.</summary>
    public float? FrequencyBase { get; set; }

    /// <summary>Gets or sets the frequency scaling factor, which must be greater than 0. For example, 0.5 doubles the context length.</summary>
    public float? FrequencyScale { get; set; }

    /// <summary>Gets or sets the YaRN extrapolation mix factor, from 0 (full interpolation) to 1.</summary>
    public float? YarnExtrapolationFactor { get; set; }

    /// <summary>Gets or sets the YaRN attention scaling factor, which must be 0 or greater.</summary>
    public float? YarnAttentionFactor { get; set; }

    /// <summary>Gets or sets the YaRN low correction dimension (beta fast), which must be 0 or greater.</summary>
    public float? YarnBetaFast { get; set; }

    /// <summary>Gets or sets the YaRN high correction dimension (beta slow), which must be 0 or greater.</summary>
    public float? YarnBetaSlow { get; set; }

    /// <summary>Gets or sets the context length that the model had before YaRN scaling, in tokens.</summary>
    public int? YarnOriginalContextLength { get; set; }

    internal void Validate()
    {
        OptionRange.CheckDefined(Scaling, nameof(Scaling));
        CheckPositive(FrequencyBase, nameof(FrequencyBase));
        CheckPositive(FrequencyScale, nameof(FrequencyScale));
        CheckRange(YarnExtrapolationFactor, 1, nameof(YarnExtrapolationFactor));
        CheckRange(YarnAttentionFactor, float.MaxValue, nameof(YarnAttentionFactor));
        CheckRange(YarnBetaFast, float.MaxValue, nameof(YarnBetaFast));
        CheckRange(YarnBetaSlow, float.MaxValue, nameof(YarnBetaSlow));
        if (YarnOriginalContextLength is <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(YarnOriginalContextLength), YarnOriginalContextLength, "Specify a number of tokens greater than 0, or null to use the model's value.");
        }
    }

    private static void CheckPositive(float? value, string name)
    {
        if (value is { } number && !(number > 0 && float.IsFinite(number)))
        {
            throw new ArgumentOutOfRangeException(name, value, "Specify a finite number greater than 0, or null to use the model's value.");
        }
    }

    private static void CheckRange(float? value, float largest, string name)
    {
        if (value is { } number && !(number >= 0 && number <= largest))
        {
            throw new ArgumentOutOfRangeException(name, value, $"Specify a number from 0 to {largest}, or null to use the model's value.");
        }
    }
}
