namespace MoeOffload;

/// <summary>
/// Represents the top-p sampler, which keeps the smallest set of most probable candidates whose cumulative probability reaches
/// <paramref name="P"/> (https://arxiv.org/abs/1904.09751).
/// </summary>
/// <param name="P">The cumulative probability, from 0 to 1. If the value is 1, all candidates are kept.</param>
/// <param name="MinKeep">The minimum number of candidates to keep.</param>
public sealed record TopPSampler(float P, int MinKeep = 0) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-p";

    internal override bool DoesNothing => P >= 1;

    internal override void Validate()
    {
        OptionRange.Check(P, 0, 1, "TopP", "a cumulative probability, 1 to keep all candidates");
        CheckMinKeep(MinKeep);
    }
}
