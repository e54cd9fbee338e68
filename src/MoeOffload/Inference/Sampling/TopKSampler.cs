namespace MoeOffload;

/// <summary>Represents the top-k sampler, which keeps the <paramref name="K"/> most probable candidates (https://arxiv.org/abs/1904.09751).</summary>
/// <param name="K">The number of candidates to keep. If the value is 0, all candidates are kept.</param>
public sealed record TopKSampler(int K) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-k";

    internal override bool DoesNothing => K == 0;

    internal override void Validate() =>
        OptionRange.Check(K, 0, int.MaxValue, "TopK", "the number of candidates to keep, 0 for all");
}
