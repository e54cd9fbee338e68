namespace MoeOffload;

/// <summary>A token and how likely the model found it.</summary>
/// <param name="Token">The token's id.</param>
/// <param name="LogProbability">
/// The natural logarithm of its share in the softmax over the whole vocabulary, before any sampler changed the logits.
/// </param>
public readonly record struct TokenProbability(int Token, float LogProbability);
