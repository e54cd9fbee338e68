namespace MoeOffload.Inference;

/// <summary>Requests that wait for a place: by priority, and in the order of their arrival within one. Not safe for threads.</summary>
internal sealed class RequestQueue
{
    private readonly List<TokenChannel> _waiting = [];

    /// <summary>How many wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>Those that wait, the next one first.</summary>
    public IEnumerable<TokenChannel> Waiting => _waiting;

    /// <summary>Adds a request behind those of its priority.</summary>
    public void Add(TokenChannel channel)
    {
        int at = _waiting.Count;
        while (at > 0 && _waiting[at - 1].Generation.Priority < channel.Generation.Priority)
        {
            at--;
        }

        _waiting.Insert(at, channel);
    }

    /// <summary>The request whose turn is next.</summary>
    public TokenChannel? Peek() => _waiting.Count > 0 ? _waiting[0] : null;

    /// <summary>Takes the request whose turn is next.</summary>
    public TokenChannel Take()
    {
        TokenChannel next = _waiting[0];
        _waiting.RemoveAt(0);
        return next;
    }

    /// <summary>Moves all that are not to wait any longer to a list.</summary>
    public void TakeEnded(long now, List<TokenChannel> ended)
    {
        for (int i = 0; i < _waiting.Count;)
        {
            if (_waiting[i].IsCancelled || now >= _waiting[i].Deadline)
            {
                ended.Add(_waiting[i]);
                _waiting.RemoveAt(i);
            }
            else
            {
                i++;
            }
        }
    }

    /// <summary>Takes all.</summary>
    public TokenChannel[] TakeAll()
    {
        TokenChannel[] all = [.. _waiting];
        _waiting.Clear();
        return all;
    }
}
