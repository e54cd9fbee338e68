namespace MoeOffload.Inference.State;

/// <summary>Represents the limits of a state that a session can load.</summary>
/// <param name="SequenceLength">The maximum number of tokens in a sequence.</param>
/// <param name="VocabularySize">The number of tokens in the vocabulary.</param>
/// <param name="ContextBytes">The size of the KV cache and of recurrent states, in bytes.</param>
internal readonly record struct StateLimits(int SequenceLength, int VocabularySize, long ContextBytes)
{
    // Allows for the position, the owners and the extra values of a cell, and for the size and type of each layer.
    private const long BytesPerCell = 64;
    private const long FixedBytes = 1 << 20;

    /// <summary>Returns the maximum size of a sequence with the specified number of tokens, in bytes.</summary>
    public long MostBytes(int tokens) => ContextBytes + FixedBytes + (tokens * BytesPerCell);
}
