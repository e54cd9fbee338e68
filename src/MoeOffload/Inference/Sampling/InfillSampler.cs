namespace MoeOffload;

/// <summary>
/// For filling in the middle of a text: prefers to end it where the end is likely, and joins candidates that begin alike.
/// It belongs after top-k and top-p.
/// </summary>
public sealed record InfillSampler : Sampler
{
    /// <inheritdoc/>
    public override string Name => "infill";

    internal override void Validate()
    {
    }
}
