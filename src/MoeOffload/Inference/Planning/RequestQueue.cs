namespace MoeOffload.Inference.Planning;

/// <summary>Holds the requests that wait to be admitted, by priority and then in the order of arrival.</summary>
internal sealed class RequestQueue
{
    private readonly List<SequenceRequest> _waiting = [];

    /// <summary>Gets the number of waiting requests.</summary>
    public int Count => _waiting.Count;

    /// <summary>Gets the waiting requests, the next one first.</summary>
    public IReadOnlyList<SequenceRequest> Waiting => _waiting;

    /// <summary>
    /// Adds a request after those of the same priority that arrived before it. A request can be added later than one that arrived after it.
    /// </summary>
    public void Add(SequenceRequest request)
    {
        int at = _waiting.Count;
        while (at > 0 && IsBefore(request, _waiting[at - 1]))
        {
            at--;
        }

        _waiting.Insert(at, request);
    }

    /// <summary>Gets the next request, or null if there is none.</summary>
    public SequenceRequest? Peek() => _waiting.Count > 0 ? _waiting[0] : null;

    /// <summary>Removes and returns the next request.</summary>
    public SequenceRequest Dequeue()
    {
        SequenceRequest next = _waiting[0];
        _waiting.RemoveAt(0);
        return next;
    }

    /// <summary>Moves the requests that were canceled or whose deadline has passed to a list.</summary>
    public void RemoveEnded(long now, List<SequenceRequest> ended)
    {
        for (int i = 0; i < _waiting.Count;)
        {
            SequenceRequest request = _waiting[i];
            if (!request.Output.IsCancelled && now < request.Deadline)
            {
                i++;
                continue;
            }

            ended.Add(request);
            _waiting.RemoveAt(i);
        }
    }

    /// <summary>Removes all requests.</summary>
    public void Clear() => _waiting.Clear();

    private static bool IsBefore(SequenceRequest request, SequenceRequest other) => request.Priority != other.Priority
        ? request.Priority > other.Priority
        : request.ArrivalNumber < other.ArrivalNumber;
}
