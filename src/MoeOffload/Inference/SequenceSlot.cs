namespace MoeOffload.Inference;

/// <summary>One native sequence: the tokens that it stands for, and how many of them the KV cache holds. The scheduler's thread owns it.</summary>
internal sealed class SequenceSlot(int id)
{
    /// <summary>llama.cpp's number for it.</summary>
    public int Id => id;

    /// <summary>Its tokens in order; those from <see cref="Count"/> on are still to be computed.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>How many of <see cref="Tokens"/> the KV cache holds.</summary>
    public int Count { get; set; }

    /// <summary>
    /// How many of the cached tokens were computed after just those before them, and by the model as it is now; a shift leaves some that
    /// saw more.
    /// </summary>
    public int ExactCount { get; private set; } = int.MaxValue;

    /// <summary>How many cells, from the first on, may also be those of another sequence.</summary>
    public int SharedCount { get; set; }

    /// <summary>Whether a request runs in it.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Grows with each use of any slot.</summary>
    public long LastUse { get; private set; }

    /// <summary>Whether the KV cache holds nothing of it.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>The tokens that are in the KV cache and can be taken over by another request.</summary>
    public ReadOnlySpan<int> Reusable =>
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Tokens)[..Math.Min(Count, ExactCount)];

    /// <summary>A request begins, of whose prompt the KV cache holds some tokens.</summary>
    public void Begin(ReadOnlySpan<int> prompt, int cached, int capacity)
    {
        Tokens.Clear();
        Tokens.EnsureCapacity(capacity);
        Tokens.AddRange(prompt);
        Hold(cached);
        IsBusy = true;
    }

    /// <summary>The request ends; the KV cache keeps some tokens.</summary>
    public void End(int kept, long use)
    {
        Tokens.RemoveRange(kept, Tokens.Count - kept);
        Hold(kept);
        IsBusy = false;
        LastUse = use;
    }

    /// <summary>Takes tokens that were put into the KV cache by other means.</summary>
    public void Fill(ReadOnlySpan<int> tokens, long use)
    {
        Tokens.Clear();
        Tokens.AddRange(tokens);
        Hold(tokens.Length);
        LastUse = use;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Tokens.Clear();
        Hold(0);
        IsBusy = false;
    }

    /// <summary>Takes tokens out of the middle; the KV cache held all.</summary>
    /// <param name="start">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="cached">How many of the rest the KV cache holds.</param>
    public void Discard(int start, int count, int cached)
    {
        Tokens.RemoveRange(start, count);
        Count = cached;
        ExactCount = cached > start ? Math.Min(ExactCount, start) : cached > ExactCount ? ExactCount : int.MaxValue;
        SharedCount = Math.Min(SharedCount, start);
    }

    /// <summary>Nothing that the KV cache holds can be taken over by another request.</summary>
    public void Distrust() => ExactCount = 0;

    private void Hold(int count)
    {
        Count = count;
        ExactCount = int.MaxValue;
        SharedCount = Math.Min(SharedCount, count);
    }
}
