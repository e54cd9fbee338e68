namespace MoeOffload;

/// <summary>
/// Represents the locally typical sampler, which keeps the candidates whose surprise is closest to the expected surprise, up to a
/// cumulative probability of <paramref name="P"/> (https://arxiv.org/abs/2202.00666).
/// </summary>
/// <param name="P">The cumulative probability, from 0 to 1. If the value is 1, all candidates are kept.</param>
/// <param name="MinKeep">The minimum number of candidates to keep.</param>
public sealed record TypicalPSampler(float P, int MinKeep = 0) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "typical";

    internal override bool DoesNothing => P >= 1;

    internal override void Validate()
    {
        OptionRange.Check(P, 0, 1, "TypicalP", "a cumulative probability, 1 to keep all candidates");
        CheckMinKeep(MinKeep);
    }
}
