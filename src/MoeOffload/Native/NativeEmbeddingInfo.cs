namespace MoeOffload.Native;

/// <summary>Represents what a model says about embeddings.</summary>
/// <param name="Length">Floats of one embedding.</param>
/// <param name="IsCausal">Whether a token sees only those before it.</param>
/// <param name="Pooling">How it pools tokens; null if it does not say, or in another way.</param>
internal readonly record struct NativeEmbeddingInfo(int Length, bool IsCausal, NativePooling? Pooling);
