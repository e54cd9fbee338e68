namespace MoeOffload;

/// <summary>
/// Represents a sampler that divides the logits by a temperature. Values below 1 favor probable candidates, and values above 1 favor
/// improbable ones. If the value is 0, only the most probable candidate is kept. If <see cref="DynamicRange"/> is set, the temperature
/// follows the entropy of the candidates (https://arxiv.org/abs/2309.02772).
/// </summary>
/// <param name="Temperature">The temperature: 0, or from 0.000001 to 100.</param>
public sealed record TemperatureSampler(float Temperature) : Sampler
{
    private const float Least = 1e-6f;

    /// <summary>
    /// Gets or sets how far the temperature varies with the entropy, from 0 to 100. The default is 0, which keeps the temperature constant.
    /// </summary>
    public float DynamicRange { get; init; }

    /// <summary>Gets or sets the exponent of the entropy, from 0 to 100. The default is 1.</summary>
    public float DynamicExponent { get; init; } = 1;

    /// <inheritdoc/>
    public override string Name => "temp-ext";

    internal override bool DoesNothing => Temperature == 1 && DynamicRange == 0;

    internal override void Validate()
    {
        OptionRange.Check(Temperature, 0, 100, "Temperature", "0 selects the most probable token, 1 keeps the model's own distribution");
        if (Temperature is > 0 and < Least)
        {
            throw new ArgumentOutOfRangeException(
                nameof(Temperature), Temperature, "Temperature is so small that the logits overflow: use 0 for the most probable token, or 0.000001 and more.");
        }

        OptionRange.Check(DynamicRange, 0, 100, "DynamicTemperatureRange", "the range of the temperature, 0 to keep it constant");
        OptionRange.Check(DynamicExponent, 0, 100, "DynamicTemperatureExponent", "the exponent of the entropy, 1 by default");
    }
}
