namespace MoeOffload.Native;

/// <summary>Represents a model's properties for embeddings.</summary>
/// <param name="Length">The number of floats in an embedding.</param>
/// <param name="IsCausal"><see langword="true"/> if a token attends only to the tokens before it.</param>
/// <param name="Pooling">The kind of pooling, or <see langword="null"/> if it is not specified or not supported.</param>
internal readonly record struct NativeEmbeddingInfo(int Length, bool IsCausal, NativePooling? Pooling);
