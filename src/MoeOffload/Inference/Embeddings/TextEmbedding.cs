namespace MoeOffload.Embeddings;

/// <summary>The embedding of a text.</summary>
/// <param name="Vector"><see cref="Embedder.Dimension"/> floats.</param>
/// <param name="TokenCount">Tokens of the text, special ones included.</param>
public readonly record struct TextEmbedding(ReadOnlyMemory<float> Vector, int TokenCount);
