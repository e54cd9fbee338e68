namespace MoeOffload;

/// <summary>How tokens are chosen: for now the one with the largest logit.</summary>
public sealed record SamplingOptions
{
    /// <summary>Whether the model's end-of-generation tokens are ignored.</summary>
    public bool IgnoreEndOfSequence { get; init; }

    /// <summary>How many alternatives each token carries; null: none, nor its own log-probability.</summary>
    public int? TopLogProbabilities { get; init; }

    internal void Validate()
    {
    }
}
