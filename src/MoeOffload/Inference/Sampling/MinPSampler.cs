namespace MoeOffload;

/// <summary>
/// Represents the min-p sampler, which keeps the candidates that are at least <paramref name="P"/> times as probable as the most probable
/// one (https://github.com/ggml-org/llama.cpp/pull/3841).
/// </summary>
/// <param name="P">The minimum share of the highest probability, from 0 to 1. If the value is 0, all candidates are kept.</param>
/// <param name="MinKeep">The minimum number of candidates to keep.</param>
public sealed record MinPSampler(float P, int MinKeep = 0) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "min-p";

    internal override bool DoesNothing => P == 0;

    internal override void Validate()
    {
        OptionRange.Check(P, 0, 1, "MinP", "a share of the highest probability, 0 to keep all candidates");
        CheckMinKeep(MinKeep);
    }
}
