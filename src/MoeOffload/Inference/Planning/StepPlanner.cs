namespace MoeOffload.Inference.Planning;

/// <summary>
/// Decides what each step computes: which requests are admitted, which slot each one gets, and whose tokens fill the batch. The planner
/// does not depend on a context, a reader's thread or a clock: it receives events and the time, and returns what to do.
/// </summary>
/// <remarks>
/// The order of a step is: <see cref="Add"/> for requests that have arrived, <see cref="RemoveEnded"/>, <see cref="Admit"/>,
/// <see cref="SelectDecoding"/>, <see cref="Pack"/>; then the plan is computed, and <see cref="Complete"/> receives the result. Operations
/// on the KV cache are performed as described for <see cref="PrefixCache"/>.
/// </remarks>
internal sealed class StepPlanner
{
    private readonly CacheShape _shape;
    private readonly BatchPacker _packer;
    private readonly RequestQueue _queue = new();
    private readonly List<SequenceRequest> _running = [];
    private readonly StepPlan _plan = new();
    private long _admissions;

    /// <summary>Creates a planner without requests.</summary>
    /// <param name="shape">The shape of the KV cache.</param>
    /// <param name="promptTokensPerStep">The maximum number of prompt tokens in a step while another generation waits.</param>
    /// <param name="lookup">The limits of the lookup, or null if there is no lookup.</param>
    /// <param name="counters">The counters of the session.</param>
    public StepPlanner(CacheShape shape, int promptTokensPerStep, DraftLimits? lookup, SessionCounters counters)
    {
        _shape = shape;
        _packer = new BatchPacker(shape, promptTokensPerStep, lookup);
        Cache = new PrefixCache(shape, counters);
    }

    /// <summary>Gets the prefix cache.</summary>
    public PrefixCache Cache { get; }

    /// <summary>Gets the admitted requests, in the order of their admission.</summary>
    public IReadOnlyList<SequenceRequest> Running => _running;

    /// <summary>Gets the requests that wait to be admitted, the next one first.</summary>
    public IReadOnlyList<SequenceRequest> Waiting => _queue.Waiting;

    /// <summary>Gets a value that indicates whether a waiting request can be admitted.</summary>
    public bool CanAdmit => _queue.Peek() is { } next && HasPlace(next);

    /// <summary>Adds a request that waits to be admitted.</summary>
    public void Add(SequenceRequest request) => _queue.Add(request);

    /// <summary>
    /// Finds the requests that end before the next step. A running request past its deadline computes nothing more, and ends when its
    /// reader has taken the generated tokens.
    /// </summary>
    /// <param name="now">The current timestamp.</param>
    /// <param name="ended">
    /// Receives the waiting requests that were canceled or are past their deadline, and the running ones that were canceled.
    /// </param>
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

    /// <summary>Admits the waiting requests for which there is a slot.</summary>
    /// <param name="now">The current timestamp.</param>
    /// <param name="onAdmitted">An action that is called for each request when it has its slot.</param>
    public IEnumerable<CacheOperation> Admit(long now, Action<SequenceRequest> onAdmitted)
    {
        while (CanAdmit)
        {
            SequenceRequest next = _queue.Dequeue();
            _running.Add(next);
            int capacity = (int)Math.Min((long)next.Prompt.Length + next.MaxTokens, _shape.SequenceLength) + 1;
            var lease = new SlotLease(next.Prompt, next.Images, capacity);
            foreach (CacheOperation operation in Cache.Acquire(lease))
            {
                yield return operation;
            }

            next.Begin(lease.Slot!, now, ++_admissions);
            onAdmitted(next);
        }
    }

    /// <inheritdoc cref="BatchPacker.HasFailed"/>
    public bool HasFailed => _packer.HasFailed;

    /// <inheritdoc cref="BatchPacker.SelectDecoding"/>
    public IReadOnlyList<SequenceRequest> SelectDecoding() => _packer.SelectDecoding(_running);

    /// <summary>Packs the requests that <see cref="SelectDecoding"/> has selected, and prompts.</summary>
    /// <param name="promptRoom">The maximum number of prompt tokens in the step.</param>
    /// <returns>The plan to compute, which is valid until the next call.</returns>
    public StepPlan Pack(int promptRoom = int.MaxValue)
    {
        _plan.Clear();
        _packer.Pack(_running, _plan, promptRoom);
        return _plan;
    }

    /// <summary>Processes the result of the packed step.</summary>
    /// <returns>The operations to perform on the KV cache before the next step.</returns>
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

    /// <summary>Removes a running request and releases its slot.</summary>
    public IEnumerable<CacheOperation> Release(SequenceRequest request)
    {
        _running.Remove(request);
        return request.HasSequence ? Cache.Release(request.Sequence) : [];
    }

    /// <summary>Removes the running requests and resets the KV cache, which were lost. Waiting requests are kept.</summary>
    public void Reset()
    {
        _running.Clear();
        Cache.Reset();
    }

    /// <summary>Removes the waiting requests.</summary>
    public void ClearQueue() => _queue.Clear();

    /// <summary>Returns the next timestamp at which a request is past its deadline, or <see cref="long.MaxValue"/> if there is none.</summary>
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

    // In a shared cache, a prompt that does not fit beside the running generations would end one of them, so it waits.
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

    // If the sequences overfill a unified cache, kept sequences are evicted first, and then the newest request is preempted.
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
