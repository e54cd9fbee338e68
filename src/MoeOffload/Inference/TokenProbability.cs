namespace MoeOffload;

/// <summary>Represents a token and its log-probability.</summary>
/// <param name="Token">The token id.</param>
/// <param name="LogProbability">
/// The natural logarithm of the token's probability in the softmax over the whole vocabulary, before any sampler changed the logits.
/// </param>
public readonly record struct TokenProbability(int Token, float LogProbability);
