namespace MoeOffload;

/// <summary>Represents a method that receives the logits that a model computed for a token of a text.</summary>
/// <param name="position">The zero-based position of the token.</param>
/// <param name="logits">
/// The logits of the next token before any sampling, one for each token of the vocabulary. Their softmax is the probability of each token.
/// The memory is overwritten after the call.
/// </param>
public delegate void LogitsReader(int position, ReadOnlySpan<float> logits);
