namespace MoeOffload;

/// <summary>Locally typical sampling: keeps the candidates nearest to the expected surprise, adding up to <paramref name="P"/> (https://arxiv.org/abs/2202.00666).</summary>
/// <param name="P">The sum of probabilities, 0 to 1; 1 keeps all.</param>
/// <param name="MinKeep">How many candidates are kept at least.</param>
public sealed record TypicalPSampler(float P, int MinKeep = 0) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "typical";

    internal override bool DoesNothing => P >= 1;

    internal override void Validate()
    {
        OptionRange.Check(P, 0, 1, "TypicalP", "a sum of probabilities, 1 to keep all candidates");
        CheckMinKeep(MinKeep);
    }
}
