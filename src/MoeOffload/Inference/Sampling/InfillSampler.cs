namespace MoeOffload;

/// <summary>
/// Represents a sampler for fill-in-the-middle tasks. It ends the text if an end is probable, and merges candidates that start with the
/// same text. Place it after top-k and top-p.
/// </summary>
public sealed record InfillSampler : Sampler
{
    /// <inheritdoc/>
    public override string Name => "infill";

    internal override void Validate()
    {
    }
}
