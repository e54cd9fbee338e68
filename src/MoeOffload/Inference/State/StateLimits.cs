namespace MoeOffload.Inference.State;

/// <summary>What a session can take of a state.</summary>
/// <param name="SequenceLength">Tokens that one sequence can hold.</param>
/// <param name="VocabularySize">Tokens in the vocabulary.</param>
/// <param name="ContextBytes">Bytes of the KV cache and of recurrent states.</param>
internal readonly record struct StateLimits(int SequenceLength, int VocabularySize, long ContextBytes)
{
    // Positions, owners and extra values of a cell, and the sizes and types of each layer.
    private const long BytesPerCell = 64;
    private const long FixedBytes = 1 << 20;

    /// <summary>The most bytes that a sequence of so many tokens can have.</summary>
    public long MostBytes(int tokens) => ContextBytes + FixedBytes + (tokens * BytesPerCell);
}
