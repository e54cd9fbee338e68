namespace MoeOffload.Inference.Planning;

/// <summary>
/// Decides which sequence a request gets, and what stays in the KV cache when the request ends, so that a prompt with the same prefix does
/// not need to be computed again.
/// </summary>
/// <remarks>
/// Each decision is a series of operations on the KV cache. The caller that enumerates it performs each operation and calls
/// <see cref="Complete"/> with the result before it requests the next one. If an operation throws, the state of the cache is unknown until
/// <see cref="Reset"/> is called.
/// </remarks>
internal sealed class PrefixCache
{
    // Shorter sequences are faster to compute again than to move.
    private const int LeastSwapped = 16;

    // Computing a token takes about as long as copying this many cells.
    private const int CellsPerToken = 32;

    private readonly CacheShape _shape;
    private readonly SessionCounters _counters;
    private readonly SequenceSlot[] _slots;
    private readonly HostCache _host;
    private CacheResult _result;
    private int _trimmedLength;
    private long _clock;

    public PrefixCache(CacheShape shape, SessionCounters counters)
    {
        _shape = shape;
        _counters = counters;
        _host = new HostCache(shape.KeepsPrefixes ? shape.HostBytes : 0);
        _slots = [.. Enumerable.Range(0, shape.SequenceCount).Select(id => new SequenceSlot(id))];
    }

    /// <summary>Gets all sequence slots.</summary>
    public IReadOnlyList<SequenceSlot> Slots => _slots;

    /// <summary>Gets the sequences that were swapped out.</summary>
    public HostCache Host => _host;

    /// <summary>Gets the number of slots that no request uses.</summary>
    public int FreeCount
    {
        get
        {
            int count = 0;
            foreach (SequenceSlot slot in _slots)
            {
                count += slot.IsBusy ? 0 : 1;
            }

            return count;
        }
    }

    /// <summary>Reports the result of the previous operation.</summary>
    public void Complete(CacheResult result) => _result = result;

    /// <summary>Assigns a slot to a request, with as much of its prompt as is cached. A slot must be free.</summary>
    public IEnumerable<CacheOperation> Acquire(SlotLease lease)
    {
        var match = new Match();
        foreach (CacheOperation operation in Find(lease, match))
        {
            yield return operation;
        }

        if (FindSwappedOut(lease.Prompt.Span, match.Length) is { } host)
        {
            foreach (CacheOperation operation in SwapBack(host))
            {
                yield return operation;
            }

            foreach (CacheOperation operation in Find(lease, match))
            {
                yield return operation;
            }
        }

        SequenceSlot target = ChooseTarget(match);
        foreach (CacheOperation operation in MakeReady(target, match, lease.Images))
        {
            yield return operation;
        }

        target.Begin(lease.Prompt.Span, lease.Images, match.Length, lease.Capacity);
        lease.Slot = target;
        _counters.OnAdmitted(lease.Prompt.Length, match.Length);
        Count();
    }

    /// <summary>Releases a slot. Its tokens stay in the KV cache until the room is needed.</summary>
    public IEnumerable<CacheOperation> Release(SequenceSlot slot)
    {
        int kept = _shape.KeepsPrefixes ? PlannedImage.WholeLength(slot.Images, slot.Reusable.Length) : 0;
        if (kept < slot.Count || kept == 0)
        {
            foreach (CacheOperation operation in Trim(slot, kept, slot.Images))
            {
                yield return operation;
            }

            kept = _trimmedLength;
        }

        slot.End(kept, ++_clock);
        Count();
    }

    /// <summary>Determines whether a kept sequence can be evicted.</summary>
    public bool CanEvict() => FindOldest(orEmpty: false) is not null;

    /// <summary>Evicts the least recently used sequence that no request uses.</summary>
    public IEnumerable<CacheOperation> EvictOldest()
    {
        if (FindOldest(orEmpty: false) is { } oldest)
        {
            foreach (CacheOperation operation in Evict(oldest))
            {
                yield return operation;
            }

            Count();
        }
    }

    /// <summary>Makes room in a full sequence: keeps its first tokens and removes the older half of the others.</summary>
    /// <param name="slot">The slot, whose tokens are all cached except the last one.</param>
    /// <param name="keep">The number of tokens at the beginning to keep.</param>
    public IEnumerable<CacheOperation> Shift(SequenceSlot slot, int keep)
    {
        // An image is removed or kept as a whole.
        keep = Math.Clamp(keep, 0, slot.Count - 2);
        keep = PlannedImage.FindAround(slot.Images, keep)?.Shape.End ?? keep;
        int end = keep + ((slot.Count - keep) / 2);
        int discarded = (PlannedImage.FindAround(slot.Images, end)?.Shape.End ?? end) - keep;

        // A shared cell has the same position in all its sequences, so it cannot be shifted. Its tokens are computed again, into separate cells.
        if (slot.SharedCount <= keep)
        {
            yield return CacheOperation.Shift(slot.Id, keep, keep + discarded);
            if (_result.Succeeded)
            {
                slot.Discard(keep, discarded, slot.Count - discarded);
                yield break;
            }
        }

        yield return CacheOperation.Trim(slot.Id, slot.PositionOf(keep));
        slot.Discard(keep, discarded, keep);
    }

    /// <summary>Rewinds a sequence to the beginning of a step that was stopped. A recurrent state is computed again.</summary>
    public IEnumerable<CacheOperation> Rewind(SequenceSlot slot)
    {
        int kept = _shape.CanTrim ? PlannedImage.WholeLength(slot.Images, slot.Count) : 0;
        foreach (CacheOperation operation in Trim(slot, kept, slot.Images))
        {
            yield return operation;
        }

        if (_trimmedLength < slot.Count)
        {
            slot.Restart(_trimmedLength);
        }
    }

    /// <summary>
    /// Discards kept sequences because they were computed in another way than new ones will be, and prevents running ones from being
    /// reused.
    /// </summary>
    public IEnumerable<CacheOperation> Invalidate()
    {
        foreach (SequenceSlot slot in _slots)
        {
            if (slot.IsBusy)
            {
                slot.Invalidate();
            }
            else
            {
                yield return CacheOperation.Trim(slot.Id, 0);
                slot.Clear();
            }
        }

        _host.Clear();
        Count();
    }

    /// <summary>
    /// Returns how many of the specified number of sequences <see cref="Load"/> accepts. If there are not enough free slots, only the last
    /// ones are accepted.
    /// </summary>
    public int CountLoadable(int count) => Math.Min(count, FreeCount);

    /// <summary>Loads sequences as kept ones. If there are not enough free slots, only the last ones are loaded.</summary>
    /// <exception cref="InferenceException">The KV cache rejected a sequence.</exception>
    public IEnumerable<CacheOperation> Load(IReadOnlyList<HostSequence> sequences)
    {
        for (int i = sequences.Count - CountLoadable(sequences.Count); i < sequences.Count; i++)
        {
            var restored = new Outcome();
            foreach (CacheOperation operation in SwapIn(sequences[i], restored))
            {
                yield return operation;
            }

            Count();
            if (!restored.Succeeded)
            {
                throw new InferenceException(
                    "The KV cache rejected the state. Use at least the same context length and the same ContextOptions.FlashAttention as when it was saved.");
            }
        }
    }

    /// <summary>
    /// Lists the sequences that can be saved, the least recently used first and running ones last. Those with images cannot, because the numbers
    /// that stand for images are valid in this process only.
    /// </summary>
    public IReadOnlyList<SavedSource> ListSources() =>
    [
        .. _host.Sequences.Where(host => host.Images.Count == 0).Select(host => new SavedSource(host, null)),
        .. _slots.Where(slot => IsSavable(slot) && slot.Images.Count == 0).OrderBy(slot => slot.IsBusy).ThenBy(slot => slot.LastUse).Select(slot => new SavedSource(null, slot)),
    ];

    /// <summary>Lists the sequence that contains the longest prefix of a prompt, if there is one.</summary>
    public IReadOnlyList<SavedSource> ListSources(int[] prompt)
    {
        SequenceSlot best = _slots.MaxBy(slot => slot.Reusable.CommonPrefixLength(prompt))!;
        int length = best.Reusable.CommonPrefixLength(prompt);
        return _host.Find([.. prompt, 0], isWhole: false, out int hostLength) is { } host && hostLength > length ? [new SavedSource(host, null)]
            : length > 0 && IsSavable(best) && best.Images.Count == 0 ? [new SavedSource(null, best)]
            : [];
    }

    /// <summary>Resets the KV cache slots because another, empty context replaces the current one. Swapped-out sequences are kept.</summary>
    public void Reset()
    {
        foreach (SequenceSlot slot in _slots)
        {
            slot.Clear();
        }

        Count();
    }

    /// <summary>Releases the system memory.</summary>
    public void Close() => _host.Clear();

    // After a shift, the cells no longer match their tokens alone.
    private static bool IsSavable(SequenceSlot slot) => !slot.IsEmpty && slot.Reusable.Length == slot.Count;

    private IEnumerable<CacheOperation> Find(SlotLease lease, Match match)
    {
        match.Slot = null;
        match.Length = 0;
        foreach (SequenceSlot slot in _slots)
        {
            int common = FindCommon(slot, lease);
            if (common == 0)
            {
                continue;
            }

            if (_shape.CanTrim && _shape.WindowLength > 0)
            {
                // Layers with a sliding window must still hold the positions that the token after the prefix attends to.
                yield return CacheOperation.FindFirstPosition(slot.Id);
                if (_result.Value > Math.Max(0, PlannedImage.PositionOf(lease.Images, common) - _shape.WindowLength))
                {
                    continue;
                }
            }

            if (common > match.Length || (common == match.Length && match.Slot!.IsBusy))
            {
                match.Slot = slot;
                match.Length = common;
            }
        }
    }

    private int FindCommon(SequenceSlot slot, SlotLease lease)
    {
        int common = _shape.KeepsPrefixes ? PlannedImage.WholeLength(lease.Images, slot.Reusable.CommonPrefixLength(lease.Prompt.Span[..^1])) : 0;

        // A recurrent state is valid only after its last token.
        return _shape.CanTrim || (!slot.IsBusy && common == slot.Count) ? common : 0;
    }

    private SequenceSlot ChooseTarget(Match match)
    {
        // If at least half of a free sequence is reused, it is taken over without a copy, and only the rest of it is lost.
        bool isFree = match.Slot is { IsBusy: false };
        if (isFree && (2 * match.Length >= match.Slot!.Count || !_shape.CanTrim))
        {
            return match.Slot;
        }

        SequenceSlot free = FindFree();
        if (match.Slot is not null && free != match.Slot && !_shape.IsUnified && (long)match.Length * CellsPerToken < _shape.SequenceLength)
        {
            if (isFree)
            {
                return match.Slot;
            }

            match.Length = 0;
        }

        return free;
    }

    private IEnumerable<CacheOperation> MakeReady(SequenceSlot target, Match match, IReadOnlyList<PlannedImage> images)
    {
        bool isReused = target == match.Slot;
        foreach (CacheOperation operation in isReused ? SwapOutIfMuchIsLost(target, match.Length) : Evict(target))
        {
            yield return operation;
        }

        if (!isReused && match.Length > 0)
        {
            SequenceSlot source = match.Slot!;
            yield return CacheOperation.Copy(source.Id, target.Id);
            target.SharedCount = _shape.IsUnified ? match.Length : 0;
            source.SharedCount = _shape.IsUnified ? Math.Max(source.SharedCount, match.Length) : 0;
        }

        int held = isReused ? target.Count : match.Length > 0 ? match.Slot!.Count : 0;
        if (held > match.Length)
        {
            foreach (CacheOperation operation in Trim(target, match.Length, images))
            {
                yield return operation;
            }

            match.Length = _trimmedLength;
        }
    }

    private IEnumerable<CacheOperation> Trim(SequenceSlot slot, int length, IReadOnlyList<PlannedImage> images)
    {
        if (length > 0)
        {
            yield return CacheOperation.Trim(slot.Id, PlannedImage.PositionOf(images, length));
            if (_result.Succeeded)
            {
                _trimmedLength = length;
                yield break;
            }
        }

        yield return CacheOperation.Trim(slot.Id, 0);
        _trimmedLength = 0;
    }

    private IEnumerable<CacheOperation> Evict(SequenceSlot slot)
    {
        if (!slot.IsEmpty)
        {
            _counters.OnEvicted();
            foreach (CacheOperation operation in SwapOut(slot))
            {
                yield return operation;
            }
        }

        yield return CacheOperation.Trim(slot.Id, 0);
        slot.Clear();
    }

    private IEnumerable<CacheOperation> SwapOutIfMuchIsLost(SequenceSlot slot, int kept) =>
        slot.Count - kept >= LeastSwapped ? SwapOut(slot) : [];

    private IEnumerable<CacheOperation> SwapOut(SequenceSlot slot)
    {
        // After a shift, the cells no longer match their tokens alone, and a part of a state cannot be copied.
        if (_host.Budget == 0 || slot.Count < LeastSwapped || !IsSavable(slot) || _host.Contains(slot.Reusable))
        {
            yield break;
        }

        yield return CacheOperation.MeasureState(slot.Id);
        if (_result.Value > _host.Budget)
        {
            yield break;
        }

        yield return CacheOperation.SwapOut(slot.Id, slot.Reusable.ToArray());
        if (_result.Host is { } host)
        {
            host.Images = [.. slot.Images.Select(image => image with { Input = null })];
            _host.Add(host);
            _counters.OnSwappedOut();
        }
    }

    // If system memory has a longer prefix of the prompt than the KV cache, it is restored into a separate sequence.
    private HostSequence? FindSwappedOut(ReadOnlySpan<int> prompt, int length)
    {
        bool isWhole = !_shape.CanTrim || _shape.WindowLength > 0;
        return _host.Find(prompt, isWhole, out int found) is { } host && found >= length + LeastSwapped ? host : null;
    }

    private IEnumerable<CacheOperation> SwapBack(HostSequence host)
    {
        _host.Remove(host);
        using (host)
        {
            var restored = new Outcome();
            foreach (CacheOperation operation in SwapIn(host, restored))
            {
                yield return operation;
            }

            if (restored.Succeeded)
            {
                _counters.OnSwappedIn();
            }
        }
    }

    private IEnumerable<CacheOperation> SwapIn(HostSequence host, Outcome outcome)
    {
        SequenceSlot target = FindFree();
        foreach (CacheOperation operation in Evict(target))
        {
            yield return operation;
        }

        yield return CacheOperation.SwapIn(target.Id, host);
        while (!_result.Succeeded)
        {
            if (!_shape.IsUnified || FindOldest(orEmpty: false) is not { } other)
            {
                yield break;
            }

            foreach (CacheOperation operation in Evict(other))
            {
                yield return operation;
            }

            yield return CacheOperation.SwapIn(target.Id, host);
        }

        target.Fill(host.Tokens, host.Images, ++_clock);
        outcome.Succeeded = true;
    }

    private SequenceSlot FindFree() => Array.Find(_slots, slot => !slot.IsBusy && slot.IsEmpty) ?? FindOldest(orEmpty: true)!;

    private SequenceSlot? FindOldest(bool orEmpty)
    {
        SequenceSlot? oldest = null;
        foreach (SequenceSlot slot in _slots)
        {
            if (!slot.IsBusy && (orEmpty || !slot.IsEmpty) && (oldest is null || slot.LastUse < oldest.LastUse))
            {
                oldest = slot;
            }
        }

        return oldest;
    }

    private void Count()
    {
        long kept = 0;
        foreach (SequenceSlot slot in _slots)
        {
            kept += slot.IsBusy ? 0 : slot.Count;
        }

        _counters.OnKept(kept, _host.Bytes);
    }

    /// <summary>Represents the sequence that contains the longest prefix of a prompt.</summary>
    private sealed class Match
    {
        public SequenceSlot? Slot { get; set; }

        public int Length { get; set; }
    }

    private sealed class Outcome
    {
        public bool Succeeded { get; set; }
    }
}
