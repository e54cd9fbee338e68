namespace MoeOffload;

/// <summary>Keeps candidates whose logit is within <paramref name="N"/> standard deviations of the best (https://arxiv.org/abs/2411.07641).</summary>
/// <param name="N">How many standard deviations; 0 keeps all.</param>
public sealed record TopNSigmaSampler(float N) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-n-sigma";

    internal override bool DoesNothing => N == 0;

    internal override void Validate() =>
        OptionRange.Check(N, 0, 1000, "TopNSigma", "a number of standard deviations, 0 to keep all candidates");
}
