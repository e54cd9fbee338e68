namespace MoeOffload;

/// <summary>Keeps the fewest most probable candidates whose probabilities add up to <paramref name="P"/> (https://arxiv.org/abs/1904.09751).</summary>
/// <param name="P">The sum, 0 to 1; 1 keeps all.</param>
/// <param name="MinKeep">How many candidates are kept at least.</param>
public sealed record TopPSampler(float P, int MinKeep = 0) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-p";

    internal override bool DoesNothing => P >= 1;

    internal override void Validate()
    {
        OptionRange.Check(P, 0, 1, "TopP", "a sum of probabilities, 1 to keep all candidates");
        CheckMinKeep(MinKeep);
    }
}
