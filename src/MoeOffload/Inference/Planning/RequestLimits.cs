namespace MoeOffload.Inference.Planning;

/// <summary>What a request may take, and how urgent it is.</summary>
internal readonly record struct RequestLimits()
{
    /// <summary>Gets how urgent it is; larger numbers come first.</summary>
    public int Priority { get; init; }

    /// <summary>Gets the most tokens to generate.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Gets what happens when it fills its part of the context.</summary>
    public ContextFullAction WhenFull { get; init; }

    /// <summary>Gets how many tokens a shift keeps from the beginning; null for the default.</summary>
    public int? ShiftKeep { get; init; }
}
