namespace MoeOffload.Inference.Planning;

/// <summary>Requests that wait to be admitted: by priority, and in the order of their arrival within one.</summary>
internal sealed class RequestQueue
{
    private readonly List<SequenceRequest> _waiting = [];

    /// <summary>Gets how many wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>Gets those that wait, the next one first.</summary>
    public IReadOnlyList<SequenceRequest> Waiting => _waiting;

    /// <summary>Adds a request behind those of its priority that arrived before it. It may be prepared later than one that arrived after it.</summary>
    public void Add(SequenceRequest request)
    {
        int at = _waiting.Count;
        while (at > 0 && IsBefore(request, _waiting[at - 1]))
        {
            at--;
        }

        _waiting.Insert(at, request);
    }

    /// <summary>Gets the request whose turn is next, or null.</summary>
    public SequenceRequest? Peek() => _waiting.Count > 0 ? _waiting[0] : null;

    /// <summary>Takes the request whose turn is next.</summary>
    public SequenceRequest Dequeue()
    {
        SequenceRequest next = _waiting[0];
        _waiting.RemoveAt(0);
        return next;
    }

    /// <summary>Moves the requests that are cancelled or past their deadline to a list.</summary>
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

    /// <summary>Removes all.</summary>
    public void Clear() => _waiting.Clear();

    private static bool IsBefore(SequenceRequest request, SequenceRequest other) => request.Priority != other.Priority
        ? request.Priority > other.Priority
        : request.ArrivalNumber < other.ArrivalNumber;
}
