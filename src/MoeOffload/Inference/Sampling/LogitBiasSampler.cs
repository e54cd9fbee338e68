namespace MoeOffload;

/// <summary>Represents a sampler that adds biases to the logits of specified tokens.</summary>
/// <param name="Biases">The biases by token id, each from -100000 to 100000, or <see cref="float.NegativeInfinity"/> to ban the token.</param>
public sealed record LogitBiasSampler(IReadOnlyDictionary<int, float> Biases) : Sampler
{
    // With larger biases, an int overflows when llama.cpp sorts the logits, and the token is treated as the least probable one.
    private const float MaxBias = 100_000;

    /// <summary>Gets or sets the biases by token id.</summary>
    public IReadOnlyDictionary<int, float> Biases
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Biases));
    } = Biases ?? throw new ArgumentNullException(nameof(Biases));

    /// <inheritdoc/>
    public override string Name => "logit-bias";

    internal override bool DoesNothing => Biases.Count == 0;

    internal override void Validate()
    {
        foreach (var (token, bias) in Biases)
        {
            OptionRange.Check(token, 0, int.MaxValue, "LogitBias token", "a token id");
            if (!float.IsNegativeInfinity(bias))
            {
                OptionRange.Check(bias, -MaxBias, MaxBias, $"LogitBias[{token}]", "the value to add to the logit, or negative infinity to ban the token");
            }
        }
    }
}
