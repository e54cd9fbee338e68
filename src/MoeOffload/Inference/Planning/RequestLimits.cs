namespace MoeOffload.Inference.Planning;

/// <summary>Represents the limits and the priority of a request.</summary>
internal readonly record struct RequestLimits()
{
    /// <summary>Gets the priority. Greater values come first.</summary>
    public int Priority { get; init; }

    /// <summary>Gets the maximum number of tokens to generate.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Gets what happens when the request fills its share of the context.</summary>
    public ContextFullAction WhenFull { get; init; }

    /// <summary>Gets the number of tokens at the beginning that a shift keeps, or null for the default.</summary>
    public int? KeepTokens { get; init; }
}
