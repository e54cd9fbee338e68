using MoeOffload.Inference.State;

namespace MoeOffload.Inference;

/// <summary>
/// Sequences that left the KV cache for system memory, up to a number of bytes: what was used the longest ago is dropped for what comes.
/// The scheduler's thread owns it.
/// </summary>
/// <param name="budget">The most bytes.</param>
internal sealed class ParkedSequences(long budget)
{
    private readonly List<SavedSequence> _parked = [];

    /// <summary>The most bytes.</summary>
    public long Budget => budget;

    /// <summary>Bytes that are used.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether there is nothing.</summary>
    public bool IsEmpty => _parked.Count == 0;

    /// <summary>What is there, used the longest ago first.</summary>
    public IReadOnlyList<SavedSequence> All => _parked;

    /// <summary>Whether something of a size can be held at all, and no other one already begins with the same tokens.</summary>
    public bool Takes(ReadOnlySpan<int> tokens, long bytes)
    {
        foreach (SavedSequence parked in _parked)
        {
            if (parked.Tokens.AsSpan().StartsWith(tokens))
            {
                return false;
            }
        }

        return bytes <= Budget;
    }

    /// <summary>Takes a sequence, for which others are dropped if need be.</summary>
    public void Add(SavedSequence sequence)
    {
        for (int i = _parked.Count - 1; i >= 0; i--)
        {
            if (sequence.Tokens.AsSpan().StartsWith(_parked[i].Tokens))
            {
                Drop(i);
            }
        }

        while (_parked.Count > 0 && Bytes + sequence.Data.Length > Budget)
        {
            Drop(0);
        }

        _parked.Add(sequence);
        Bytes += sequence.Data.Length;
    }

    /// <summary>Finds the sequence of which a prompt can use the most.</summary>
    /// <param name="prompt">The prompt, of which the last token is left to be computed.</param>
    /// <param name="isWhole">Whether a sequence must be used to its end.</param>
    /// <param name="length">How many tokens can be used.</param>
    public SavedSequence? Find(ReadOnlySpan<int> prompt, bool isWhole, out int length)
    {
        SavedSequence? best = null;
        length = 0;
        foreach (SavedSequence parked in _parked)
        {
            int common = parked.Tokens.AsSpan().CommonPrefixLength(prompt[..^1]);
            if (common > length && (!isWhole || common == parked.Tokens.Length))
            {
                best = parked;
                length = common;
            }
        }

        return best;
    }

    /// <summary>Gives a sequence away, which the caller then disposes.</summary>
    public void Take(SavedSequence sequence)
    {
        _parked.Remove(sequence);
        Bytes -= sequence.Data.Length;
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        while (_parked.Count > 0)
        {
            Drop(_parked.Count - 1);
        }
    }

    private void Drop(int index)
    {
        SavedSequence dropped = _parked[index];
        Take(dropped);
        dropped.Dispose();
    }
}
