namespace MoeOffload.Embeddings;

/// <summary>Represents the embedding of a text.</summary>
/// <param name="Vector">The embedding, with <see cref="Embedder.Dimension"/> values.</param>
/// <param name="TokenCount">The number of tokens of the text, including special tokens.</param>
public readonly record struct TextEmbedding(ReadOnlyMemory<float> Vector, int TokenCount);
