namespace MoeOffload.Native;

/// <summary>Represents a chunk of a prompt with images.</summary>
/// <param name="Image">The zero-based index of the image, or <see langword="null"/> if the chunk is a run of tokens.</param>
/// <param name="TokenCount">The number of tokens or embeddings.</param>
/// <param name="PositionCount">The number of positions by which the chunk advances.</param>
/// <param name="IsCausal"><see langword="false"/> if the embeddings attend to each other in both directions.</param>
internal readonly record struct NativePromptChunk(int? Image, int TokenCount, int PositionCount, bool IsCausal);
