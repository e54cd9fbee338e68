namespace MoeOffload;

/// <summary>Represents a sampler that selects the most probable candidate. It must be the last sampler of a chain.</summary>
public sealed record GreedySampler : Sampler
{
    /// <inheritdoc/>
    public override string Name => "greedy";

    internal override bool Selects => true;

    internal override void Validate()
    {
    }
}
