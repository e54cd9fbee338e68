namespace MoeOffload.Inference.Planning;

/// <summary>Sequences that were swapped out to system memory, up to a number of bytes: the least recently used are dropped for new ones.</summary>
/// <param name="budget">The most bytes.</param>
internal sealed class HostCache(long budget)
{
    private readonly List<HostSequence> _sequences = [];

    /// <summary>Gets the most bytes.</summary>
    public long Budget => budget;

    /// <summary>Gets the bytes that are used.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets what is there, the least recently used first.</summary>
    public IReadOnlyList<HostSequence> Sequences => _sequences;

    /// <summary>Determines whether a sequence begins with these tokens.</summary>
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

    /// <summary>Takes a sequence. Those of which it has all tokens are dropped, and others if need be; it is itself if it is too large.</summary>
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

    /// <summary>Finds the sequence of which a prompt can use the most.</summary>
    /// <param name="prompt">The prompt, whose last token is always computed.</param>
    /// <param name="isWhole">Whether a sequence must be used to its end.</param>
    /// <param name="length">How many tokens can be used.</param>
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

    /// <summary>Removes a sequence, which the caller then disposes.</summary>
    public void Remove(HostSequence sequence)
    {
        _sequences.Remove(sequence);
        Bytes -= sequence.Bytes;
    }

    /// <summary>Drops everything.</summary>
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
