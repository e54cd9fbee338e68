namespace MoeOffload;

/// <summary>Keeps the <paramref name="K"/> most probable candidates (https://arxiv.org/abs/1904.09751).</summary>
/// <param name="K">How many; 0 keeps all.</param>
public sealed record TopKSampler(int K) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "top-k";

    internal override bool DoesNothing => K == 0;

    internal override void Validate() =>
        OptionRange.Check(K, 0, int.MaxValue, "TopK", "how many candidates to keep, 0 for all");
}
