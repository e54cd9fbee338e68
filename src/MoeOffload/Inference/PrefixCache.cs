using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Gives sequences to requests and keeps what they leave in the KV cache, so that a prompt with the same beginning need not be computed
/// again. The scheduler's thread owns it.
/// </summary>
internal sealed class PrefixCache
{
    // Copying one cell costs far less than computing it, by about this factor.
    private const int CellsPerToken = 32;

    private readonly PrefixCacheOptions _options;
    private readonly SessionCounters _counters;
    private readonly bool _isUnified;
    private readonly SequenceSlot[] _slots;
    private long _clock;

    public PrefixCache(PrefixCacheOptions options, int sequenceCount, bool isUnified, SessionCounters counters)
    {
        _options = options;
        _counters = counters;
        _isUnified = isUnified;
        _slots = [.. Enumerable.Range(0, sequenceCount).Select(id => new SequenceSlot(id))];
    }

    /// <summary>Whether a request can be given a sequence.</summary>
    public bool HasFree => Array.Exists(_slots, slot => !slot.IsBusy);

    /// <summary>Gives a sequence to a request, with as much of its prompt as is kept anywhere.</summary>
    /// <param name="context">The context.</param>
    /// <param name="prompt">The prompt; at least its last token is left to be computed.</param>
    /// <param name="capacity">Tokens that the request can come to.</param>
    public SequenceSlot Acquire(NativeContext context, ReadOnlySpan<int> prompt, int capacity)
    {
        SequenceSlot? source = Find(context, prompt, out int length);
        SequenceSlot target = Target(context, source, ref length);
        if (target != source)
        {
            Evict(context, target);
            if (length > 0)
            {
                context.Copy(source!.Id, target.Id);
                target.SharedCount = _isUnified ? length : 0;
                source.SharedCount = _isUnified ? Math.Max(source.SharedCount, length) : 0;
            }
        }

        int held = target == source ? target.Count : length > 0 ? source!.Count : 0;
        if (held > length)
        {
            length = Cut(context, target, length);
        }

        target.Begin(prompt, length, capacity);
        _counters.Began(prompt.Length, length);
        Count();
        return target;
    }

    /// <summary>Takes a sequence back. What the KV cache holds of it stays, as long as nobody needs the room.</summary>
    public void Release(NativeContext context, SequenceSlot slot)
    {
        int kept = _options.Enabled ? slot.Reusable.Length : 0;
        kept = kept < slot.Count || kept == 0 ? Cut(context, slot, kept) : kept;
        slot.End(kept, ++_clock);
        Count();
    }

    /// <summary>Drops the sequence that was used the longest ago.</summary>
    /// <returns>False where nothing is kept.</returns>
    public bool TryEvict(NativeContext context)
    {
        SequenceSlot? oldest = Oldest(slot => !slot.IsEmpty);
        if (oldest is not null)
        {
            Evict(context, oldest);
            Count();
        }

        return oldest is not null;
    }

    /// <summary>Forgets everything, as a new context has.</summary>
    public void Reset()
    {
        foreach (SequenceSlot slot in _slots)
        {
            slot.Clear();
        }

        Count();
    }

    private static int Cut(NativeContext context, SequenceSlot slot, int length)
    {
        if (length > 0 && context.Remove(slot.Id, length))
        {
            return length;
        }

        context.Remove(slot.Id, 0);
        return 0;
    }

    private SequenceSlot? Find(NativeContext context, ReadOnlySpan<int> prompt, out int length)
    {
        SequenceSlot? best = null;
        length = 0;
        if (!_options.Enabled)
        {
            return null;
        }

        foreach (SequenceSlot slot in _slots)
        {
            int usable = Usable(context, slot, prompt);
            if (usable > length || (usable == length && usable > 0 && best!.IsBusy))
            {
                best = slot;
                length = usable;
            }
        }

        return best;
    }

    private static int Usable(NativeContext context, SequenceSlot slot, ReadOnlySpan<int> prompt)
    {
        int common = slot.Reusable.CommonPrefixLength(prompt[..^1]);
        if (common == 0)
        {
            return 0;
        }

        // A recurrent state is that of its last token, and of no earlier one.
        if (!context.CanForgetParts)
        {
            return !slot.IsBusy && common == slot.Count ? common : 0;
        }

        // Layers with a window must still have what the token after the prefix looks back on.
        return context.WindowLength == 0 || context.FirstPosition(slot.Id) <= Math.Max(0, common - context.WindowLength) ? common : 0;
    }

    private SequenceSlot Target(NativeContext context, SequenceSlot? source, ref int length)
    {
        // What is used to a good part is taken over as it is: only the rest of it is lost.
        bool isMine = source is { IsBusy: false };
        if (isMine && (2 * length >= source!.Count || !context.CanForgetParts))
        {
            return source;
        }

        SequenceSlot free = Array.Find(_slots, slot => !slot.IsBusy && slot.IsEmpty) ?? Oldest(_ => true)!;
        if (source is not null && free != source && !_isUnified && (long)length * CellsPerToken < context.SequenceLength)
        {
            if (isMine)
            {
                return source;
            }

            length = 0;
        }

        return free;
    }

    private SequenceSlot? Oldest(Func<SequenceSlot, bool> isWanted)
    {
        SequenceSlot? oldest = null;
        foreach (SequenceSlot slot in _slots)
        {
            if (!slot.IsBusy && isWanted(slot) && (oldest is null || slot.LastUse < oldest.LastUse))
            {
                oldest = slot;
            }
        }

        return oldest;
    }

    private void Evict(NativeContext context, SequenceSlot slot)
    {
        if (!slot.IsEmpty)
        {
            _counters.Evicted();
        }

        context.Remove(slot.Id, 0);
        slot.Clear();
    }

    private void Count() => _counters.Keeps(_slots.Where(slot => !slot.IsBusy).Sum(slot => (long)slot.Count), 0);
}
