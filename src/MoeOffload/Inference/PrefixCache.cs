using MoeOffload.Inference.State;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Gives sequences to requests and keeps what they leave in the KV cache, so that a prompt with the same beginning need not be computed
/// again. The scheduler's thread owns it.
/// </summary>
internal sealed class PrefixCache
{
    // What is shorter is computed again sooner than it is moved.
    private const int LeastParked = 16;

    // Copying one cell costs far less than computing it, by about this factor.
    private const int CellsPerToken = 32;

    private readonly PrefixCacheOptions _options;
    private readonly SessionCounters _counters;
    private readonly bool _isUnified;
    private readonly SequenceSlot[] _slots;
    private readonly ParkedSequences _parked;
    private long _clock;

    public PrefixCache(PrefixCacheOptions options, int sequenceCount, bool isUnified, SessionCounters counters)
    {
        _options = options;
        _counters = counters;
        _isUnified = isUnified;
        _parked = new ParkedSequences(options.Enabled ? options.HostBytes : 0);
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
        source = TryUnpark(context, prompt, length) ? Find(context, prompt, out length) : source;
        SequenceSlot target = Target(context, source, ref length);
        if (target == source)
        {
            ParkIfMuchIsLost(context, target, length);
        }
        else
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

    /// <summary>Copies what is kept, the least recently used first, and what runs.</summary>
    public void SaveAll(NativeContext context, List<SavedSequence> saved)
    {
        saved.AddRange(_parked.All.Select(parked => parked.Clone()));
        foreach (SequenceSlot slot in _slots.OrderBy(slot => slot.IsBusy).ThenBy(slot => slot.LastUse))
        {
            Save(context, slot, saved);
        }
    }

    /// <summary>Copies the sequence that has the most of a prompt.</summary>
    public void SaveBest(NativeContext context, int[] prompt, List<SavedSequence> saved)
    {
        SequenceSlot best = _slots.MaxBy(slot => slot.Reusable.CommonPrefixLength(prompt))!;
        int length = best.Reusable.CommonPrefixLength(prompt);
        if (_parked.Find([.. prompt, 0], isWhole: false, out int parkedLength) is { } parked && parkedLength > length)
        {
            saved.Add(parked.Clone());
        }
        else if (length > 0)
        {
            Save(context, best, saved);
        }
    }

    /// <summary>Takes sequences in as kept ones, the last ones first where there is no place for all.</summary>
    /// <returns>How many of them, counted from the last, are in the KV cache.</returns>
    /// <exception cref="InferenceException">The KV cache did not take one.</exception>
    public int Load(NativeContext context, IReadOnlyList<SavedSequence> saved)
    {
        int count = Math.Min(saved.Count, _slots.Count(slot => !slot.IsBusy));
        foreach (SavedSequence sequence in saved.Skip(saved.Count - count))
        {
            if (!TryRestore(context, sequence))
            {
                Count();
                throw new InferenceException(
                    "The KV cache did not take the state: it must have as much room, and ContextOptions.FlashAttention as when it was saved.");
            }
        }

        Count();
        return count;
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

    /// <summary>What is kept was computed in another way than what comes: drops it, and what runs will not be kept.</summary>
    public void Distrust(NativeContext context)
    {
        foreach (SequenceSlot slot in _slots)
        {
            if (slot.IsBusy)
            {
                slot.Distrust();
            }
            else
            {
                context.Remove(slot.Id, 0);
                slot.Clear();
            }
        }

        _parked.Clear();
        Count();
    }

    /// <summary>Gives the system memory back.</summary>
    public void Close() => _parked.Clear();

    // What a shift has left would not be what its tokens say.
    private static void Save(NativeContext context, SequenceSlot slot, List<SavedSequence> saved)
    {
        if (!slot.IsEmpty && slot.Reusable.Length == slot.Count)
        {
            saved.Add(SavedSequence.Read(context, slot.Id, slot.Reusable.ToArray()));
        }
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

        SequenceSlot free = Free();
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
            Park(context, slot);
        }

        context.Remove(slot.Id, 0);
        slot.Clear();
    }

    private void ParkIfMuchIsLost(NativeContext context, SequenceSlot slot, int kept)
    {
        if (slot.Count - kept >= LeastParked)
        {
            Park(context, slot);
        }
    }

    private void Park(NativeContext context, SequenceSlot slot)
    {
        if (_parked.Budget == 0 || slot.Count < LeastParked || !_parked.Takes(slot.Reusable, context.StateSize(slot.Id)))
        {
            return;
        }

        try
        {
            _parked.Add(SavedSequence.Read(context, slot.Id, slot.Reusable.ToArray()));
            _counters.Parked();
        }
        catch (OutOfMemoryException)
        {
            // The budget is more than the machine has: what does not fit is computed again.
        }
    }

    // Where system memory has more of a prompt than the KV cache, it comes back into a sequence of its own.
    private bool TryUnpark(NativeContext context, ReadOnlySpan<int> prompt, int length)
    {
        bool isWhole = !context.CanForgetParts || context.WindowLength > 0;
        if (_parked.Find(prompt, isWhole, out int found) is not { } parked || found < length + LeastParked)
        {
            return false;
        }

        _parked.Take(parked);
        using (parked)
        {
            if (TryRestore(context, parked))
            {
                _counters.Restored();
            }
        }

        return true;
    }

    private bool TryRestore(NativeContext context, SavedSequence saved)
    {
        SequenceSlot target = Free();
        Evict(context, target);
        while (!context.TryWriteState(target.Id, saved.Data))
        {
            if (!_isUnified || Oldest(slot => !slot.IsEmpty) is not { } other)
            {
                return false;
            }

            Evict(context, other);
        }

        target.Fill(saved.Tokens, ++_clock);
        return true;
    }

    private SequenceSlot Free() => Array.Find(_slots, slot => !slot.IsBusy && slot.IsEmpty) ?? Oldest(_ => true)!;

    private void Count() => _counters.Keeps(_slots.Where(slot => !slot.IsBusy).Sum(slot => (long)slot.Count), _parked.Bytes);
}
