namespace MoeOffload.Inference.Planning;

/// <summary>
/// Decides what each step computes: which requests are admitted, which sequence each gets, and whose tokens fill the batch. It knows of
/// no context, no reader's thread and no clock: what has happened and the time are told to it, and what it wants done it returns.
/// </summary>
/// <remarks>
/// A step goes: <see cref="Add"/> what has arrived, <see cref="RemoveEnded"/>, <see cref="Admit"/>, <see cref="SelectDecoding"/>,
/// <see cref="Pack"/>; then the plan is computed, and <see cref="Complete"/> takes the result. Operations on the KV cache are carried out
/// as <see cref="PrefixCache"/> says.
/// </remarks>
internal sealed class StepPlanner
{
    private readonly CacheShape _shape;
    private readonly BatchPacker _packer;
    private readonly RequestQueue _queue = new();
    private readonly List<SequenceRequest> _running = [];
    private readonly StepPlan _plan = new();
    private long _admissions;

    /// <summary>Makes a planner that has nothing to do.</summary>
    /// <param name="shape">The KV cache.</param>
    /// <param name="promptTokensPerStep">The most prompt tokens of a step in which another generation waits.</param>
    /// <param name="lookup">How tokens are looked up ahead; null if they are not.</param>
    /// <param name="counters">Counts what it decides.</param>
    public StepPlanner(CacheShape shape, int promptTokensPerStep, DraftLimits? lookup, SessionCounters counters)
    {
        _shape = shape;
        _packer = new BatchPacker(shape, promptTokensPerStep, lookup);
        Cache = new PrefixCache(shape, counters);
    }

    /// <summary>Gets what decides about sequences.</summary>
    public PrefixCache Cache { get; }

    /// <summary>Gets the requests that are admitted, in the order of their admission.</summary>
    public IReadOnlyList<SequenceRequest> Running => _running;

    /// <summary>Gets the requests that wait to be admitted, the next one first.</summary>
    public IReadOnlyList<SequenceRequest> Waiting => _queue.Waiting;

    /// <summary>Gets whether a request waits for which there is a place.</summary>
    public bool CanAdmit => _queue.Peek() is { } next && HasPlace(next);

    /// <summary>Adds a request that waits to be admitted.</summary>
    public void Add(SequenceRequest request) => _queue.Add(request);

    /// <summary>
    /// Finds what ends before the next step. A running request past its deadline computes nothing more, and ends once its reader has
    /// taken what was generated.
    /// </summary>
    /// <param name="now">The time, as a timestamp.</param>
    /// <param name="ended">Gets the waiting requests that are cancelled or past their deadline, and the running ones that are cancelled.</param>
    public void RemoveEnded(long now, List<SequenceRequest> ended)
    {
        foreach (SequenceRequest request in _running)
        {
            if (request.Output.IsCancelled)
            {
                ended.Add(request);
            }
            else if (now >= request.Deadline && !request.HasEnded)
            {
                request.End(StopReason.Deadline);
            }
        }

        _queue.RemoveEnded(now, ended);
    }

    /// <summary>Admits the waiting requests for which there is a place.</summary>
    /// <param name="now">The time, as a timestamp.</param>
    /// <param name="onAdmitted">Told of each one once it has its sequence.</param>
    public IEnumerable<CacheOperation> Admit(long now, Action<SequenceRequest> onAdmitted)
    {
        while (CanAdmit)
        {
            SequenceRequest next = _queue.Dequeue();
            _running.Add(next);
            int capacity = (int)Math.Min((long)next.Prompt.Length + next.MaxTokens, _shape.SequenceLength) + 1;
            var lease = new SlotLease(next.Prompt, capacity);
            foreach (CacheOperation operation in Cache.Acquire(lease))
            {
                yield return operation;
            }

            next.Begin(lease.Slot!, now, ++_admissions);
            onAdmitted(next);
        }
    }

    /// <inheritdoc cref="BatchPacker.SelectDecoding"/>
    public IReadOnlyList<SequenceRequest> SelectDecoding() => _packer.SelectDecoding(_running);

    /// <summary>Packs what <see cref="SelectDecoding"/> has selected, and prompts.</summary>
    /// <returns>What is to be computed; valid until the next call.</returns>
    public StepPlan Pack()
    {
        _plan.Clear();
        _packer.Pack(_running, _plan);
        return _plan;
    }

    /// <summary>Takes the result of the step that was packed.</summary>
    /// <returns>What must be done with the KV cache for the next step.</returns>
    public IEnumerable<CacheOperation> Complete(StepResult result)
    {
        switch (result)
        {
            case StepResult.Computed:
                foreach (SequenceRequest request in _plan.Requests)
                {
                    request.CompleteStep();
                }

                return [];
            case StepResult.NoRoom:
                return MakeRoom();
            default:
                return Rewind();
        }
    }

    /// <summary>Takes a running request away, and its sequence back.</summary>
    public IEnumerable<CacheOperation> Release(SequenceRequest request)
    {
        _running.Remove(request);
        return request.HasSequence ? Cache.Release(request.Sequence) : [];
    }

    /// <summary>Forgets what runs and what is in the KV cache, which were lost. What waits goes on waiting.</summary>
    public void Reset()
    {
        _running.Clear();
        Cache.Reset();
    }

    /// <summary>Forgets what waits.</summary>
    public void ClearQueue() => _queue.Clear();

    /// <summary>Finds the next time at which a request is past its deadline; <see cref="long.MaxValue"/> if there is none.</summary>
    public long FindNextDeadline()
    {
        long next = long.MaxValue;
        foreach (SequenceRequest request in _running)
        {
            next = request.HasEnded ? next : Math.Min(next, request.Deadline);
        }

        for (int i = 0; i < _queue.Count; i++)
        {
            next = Math.Min(next, _queue.Waiting[i].Deadline);
        }

        return next;
    }

    // In a shared cache, a prompt that does not fit beside what runs would end a generation: it waits instead.
    private bool HasPlace(SequenceRequest next)
    {
        if (Cache.FreeCount == 0 || !_shape.IsUnified || _running.Count == 0)
        {
            return Cache.FreeCount > 0;
        }

        long cells = next.Prompt.Length + 1;
        foreach (SequenceRequest request in _running)
        {
            cells += request.Sequence.Tokens.Count + 1;
        }

        return cells <= _shape.CellCount;
    }

    // All sequences together overfill a unified cache: what is only kept goes first, then the youngest request gives way.
    private IEnumerable<CacheOperation> MakeRoom()
    {
        if (Cache.CanEvict())
        {
            return Cache.EvictOldest();
        }

        SequenceRequest youngest = _plan.Requests[0];
        foreach (SequenceRequest request in _plan.Requests)
        {
            youngest = request.AdmissionNumber > youngest.AdmissionNumber ? request : youngest;
        }

        youngest.Preempt();
        return [];
    }

    private IEnumerable<CacheOperation> Rewind()
    {
        foreach (SequenceRequest request in _plan.Requests)
        {
            foreach (CacheOperation operation in Cache.Rewind(request.Sequence))
            {
                yield return operation;
            }
        }
    }
}
