namespace MoeOffload;

/// <summary>
/// Represents a sampler that selects a candidate at random, according to the probabilities. It must be the last sampler of a chain.
/// </summary>
/// <param name="Seed">The seed of the random number generator, or <see langword="null"/> to use <see cref="SamplingOptions.Seed"/>.</param>
public sealed record DistributionSampler(uint? Seed = null) : Sampler
{
    /// <inheritdoc/>
    public override string Name => "dist";

    internal override bool Selects => true;

    internal override void Validate() => CheckSeed(Seed, nameof(Seed));

    internal override Sampler WithSeed(uint? seed) => this with { Seed = Seed ?? seed };
}
