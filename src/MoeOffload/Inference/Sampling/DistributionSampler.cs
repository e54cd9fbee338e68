namespace MoeOffload;

/// <summary>Selects a candidate by chance, each as often as it is probable. It must be the last of a chain.</summary>
/// <param name="Seed">The random numbers' seed; <see langword="null"/> for that of the options, or a random one.</param>
public sealed record DistributionSampler(uint? Seed = null) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "dist";

    internal override bool Selects => true;

    internal override void Validate() => CheckSeed(Seed, nameof(Seed));

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
