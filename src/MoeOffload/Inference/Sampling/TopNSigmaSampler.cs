namespace MoeOffload;

/// <summary>
/// Represents the top-n-sigma sampler, which keeps the candidates whose logits are within <paramref name="N"/> standard deviations of the
/// highest logit (https://arxiv.org/abs/2411.07641).
/// </summary>
/// <param name="N">The number of standard deviations. If the value is 0, all candidates are kept.</param>
public sealed record TopNSigmaSampler(float N) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-n-sigma";

    internal override bool DoesNothing => N == 0;

    internal override void Validate() =>
        OptionRange.Check(N, 0, 1000, "TopNSigma", "a number of standard deviations, 0 to keep all candidates");
}
