namespace MoeOffload.Inference.Planning;

/// <summary>
/// Holds sequences that were swapped out to system memory, up to a number of bytes. The least recently used ones are discarded to make
/// room.
/// </summary>
/// <param name="budget">The maximum size in bytes.</param>
internal sealed class HostCache(long budget)
{
    private readonly List<HostSequence> _sequences = [];

    /// <summary>Gets the maximum size in bytes.</summary>
    public long Budget => budget;

    /// <summary>Gets the current size in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the sequences, the least recently used first.</summary>
    public IReadOnlyList<HostSequence> Sequences => _sequences;

    /// <summary>Determines whether a sequence starts with the specified tokens.</summary>
    public bool Contains(ReadOnlySpan<int> tokens)
    {
        foreach (HostSequence sequence in _sequences)
        {
            if (sequence.Tokens.AsSpan().StartsWith(tokens))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Adds a sequence. Sequences that are prefixes of it are discarded, and others if there is not enough room. If the sequence itself is
    /// too large, it is discarded.
    /// </summary>
    public void Add(HostSequence sequence)
    {
        for (int i = _sequences.Count - 1; i >= 0; i--)
        {
            if (sequence.Tokens.AsSpan().StartsWith(_sequences[i].Tokens))
            {
                Drop(i);
            }
        }

        _sequences.Add(sequence);
        Bytes += sequence.Bytes;
        while (Bytes > Budget)
        {
            Drop(0);
        }
    }

    /// <summary>Finds the sequence with the longest part that a prompt can use.</summary>
    /// <param name="prompt">The prompt, whose last token is always computed.</param>
    /// <param name="isWhole"><see langword="true"/> if a sequence must be used to its end.</param>
    /// <param name="length">Receives the number of tokens that can be used.</param>
    public HostSequence? Find(ReadOnlySpan<int> prompt, bool isWhole, out int length)
    {
        HostSequence? best = null;
        length = 0;
        foreach (HostSequence sequence in _sequences)
        {
            int common = sequence.Tokens.AsSpan().CommonPrefixLength(prompt[..^1]);
            if (common > length && (!isWhole || common == sequence.Tokens.Length))
            {
                best = sequence;
                length = common;
            }
        }

        return best;
    }

    /// <summary>Removes a sequence, which the caller must dispose.</summary>
    public void Remove(HostSequence sequence)
    {
        _sequences.Remove(sequence);
        Bytes -= sequence.Bytes;
    }

    /// <summary>Discards all sequences.</summary>
    public void Clear()
    {
        while (_sequences.Count > 0)
        {
            Drop(_sequences.Count - 1);
        }
    }

    private void Drop(int index)
    {
        HostSequence dropped = _sequences[index];
        Remove(dropped);
        dropped.Dispose();
    }
}
