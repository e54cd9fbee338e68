namespace MoeOffload;

/// <summary>Takes what a model expects after a token of a text.</summary>
/// <param name="position">The token's position, from 0.</param>
/// <param name="logits">
/// A value for each token of the vocabulary, before any sampling: the softmax of all is how likely the model finds each as the next one.
/// They are overwritten after the call.
/// </param>
public delegate void LogitsReader(int position, ReadOnlySpan<float> logits);
