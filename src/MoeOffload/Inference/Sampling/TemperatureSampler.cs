namespace MoeOffload;

/// <summary>
/// Divides the logits by a temperature: below 1 the best candidates gain, above 1 the others. At 0 the best alone remains.
/// With a range, the temperature follows the entropy of the candidates (https://arxiv.org/abs/2309.02772).
/// </summary>
/// <param name="Temperature">The temperature: 0, or 0.000001 to 100.</param>
public sealed record TemperatureSampler(float Temperature) : Sampler
{
    private const float Least = 1e-6f;

    /// <summary>How far the temperature may move up and down with the entropy, 0 to 100; 0 is not at all.</summary>
    public float DynamicRange { get; init; }

    /// <summary>The power of the entropy that the temperature follows, 0 to 100.</summary>
    public float DynamicExponent { get; init; } = 1;

    /// <inheritdoc/>
    public override string Name => "temp-ext";

    internal override bool DoesNothing => Temperature == 1 && DynamicRange == 0;

    internal override void Validate()
    {
        OptionRange.Check(Temperature, 0, 100, "Temperature", "0 for the most probable token, about 1 for the model's own variety");
        if (Temperature is > 0 and < Least)
        {
            throw new ArgumentOutOfRangeException(
                nameof(Temperature), Temperature, "Temperature is so small that the logits overflow: use 0 for the most probable token, or 0.000001 and more.");
        }

        OptionRange.Check(DynamicRange, 0, 100, "DynamicTemperatureRange", "how far the temperature moves, 0 for not at all");
        OptionRange.Check(DynamicExponent, 0, 100, "DynamicTemperatureExponent", "the power of the entropy, 1 by default");
    }
}
