using System.Runtime.InteropServices;

namespace MoeOffload.Inference.Planning;

/// <summary>One sequence of the KV cache: the tokens that it stands for, and how many of them are cached.</summary>
/// <param name="id">llama.cpp's number for it.</param>
internal sealed class SequenceSlot(int id)
{
    /// <summary>Gets llama.cpp's number for it.</summary>
    public int Id => id;

    /// <summary>Gets its tokens in order; those from <see cref="Count"/> on are still to be computed.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Gets or sets how many of <see cref="Tokens"/> the KV cache holds.</summary>
    public int Count { get; set; }

    /// <summary>
    /// Gets how many of the cached tokens were computed after just those before them, and by the model as it is now. A shift leaves some
    /// that saw more.
    /// </summary>
    public int ExactCount { get; private set; } = int.MaxValue;

    /// <summary>Gets or sets how many cells, from the first on, may also belong to another sequence.</summary>
    public int SharedCount { get; set; }

    /// <summary>Gets whether a request runs in it.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>Gets a number that grows with each use of any slot.</summary>
    public long LastUse { get; private set; }

    /// <summary>Gets whether the KV cache holds nothing of it.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Gets the cached tokens that another request can reuse.</summary>
    public ReadOnlySpan<int> Reusable => CollectionsMarshal.AsSpan(Tokens)[..Math.Min(Count, ExactCount)];

    /// <summary>Begins a request, some tokens of whose prompt are cached already.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="cached">How many of its tokens the KV cache holds.</param>
    /// <param name="capacity">The most tokens that the request can come to.</param>
    public void Begin(ReadOnlySpan<int> prompt, int cached, int capacity)
    {
        Tokens.Clear();
        Tokens.EnsureCapacity(capacity);
        Tokens.AddRange(prompt);
        Hold(cached);
        IsBusy = true;
    }

    /// <summary>Ends the request.</summary>
    /// <param name="kept">How many tokens the KV cache keeps.</param>
    /// <param name="use">The number of this use, for <see cref="LastUse"/>.</param>
    public void End(int kept, long use)
    {
        Tokens.RemoveRange(kept, Tokens.Count - kept);
        Hold(kept);
        IsBusy = false;
        LastUse = use;
    }

    /// <summary>Takes tokens that were put into the KV cache by other means.</summary>
    /// <param name="tokens">The tokens, all of which are cached.</param>
    /// <param name="use">The number of this use, for <see cref="LastUse"/>.</param>
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

    /// <summary>Has all tokens computed again.</summary>
    public void Restart() => Hold(0);

    /// <summary>Takes tokens out of the middle; all but the last one were cached.</summary>
    /// <param name="start">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="cached">How many of the remaining tokens the KV cache holds.</param>
    public void Discard(int start, int count, int cached)
    {
        Tokens.RemoveRange(start, count);
        Count = cached;
        ExactCount = cached > start ? Math.Min(ExactCount, start) : cached > ExactCount ? ExactCount : int.MaxValue;
        SharedCount = Math.Min(SharedCount, start);
    }

    /// <summary>Lets no other request reuse what is cached now.</summary>
    public void Invalidate() => ExactCount = 0;

    private void Hold(int count)
    {
        Count = count;
        ExactCount = int.MaxValue;
        SharedCount = Math.Min(SharedCount, count);
    }
}
