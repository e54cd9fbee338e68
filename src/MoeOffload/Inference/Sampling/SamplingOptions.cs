namespace MoeOffload;

/// <summary>How tokens are chosen: for now the one with the largest logit.</summary>
public sealed record SamplingOptions
{
    /// <summary>Always the token with the largest logit.</summary>
    public static SamplingOptions Greedy { get; } = new();

    /// <summary>Temperature; 0 or less is greedy.</summary>
    public float Temperature { get; init; } = 0.8f;

    /// <summary>Seed; null: random.</summary>
    public uint? Seed { get; init; }

    /// <summary>Whether the model's end-of-generation tokens are ignored.</summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>How many alternatives each token carries; null: none, nor its own log-probability.</summary>
    public int? TopLogProbabilities { get; init; }

    internal void Validate() => ArgumentOutOfRangeException.ThrowIfEqual(Temperature, float.NaN);
}
