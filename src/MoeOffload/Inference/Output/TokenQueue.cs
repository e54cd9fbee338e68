namespace MoeOffload.Inference.Output;

/// <summary>A ring of tokens between one writer and one reader, without locks.</summary>
internal sealed class TokenQueue
{
    /// <summary>Tokens that fit, a power of two.</summary>
    public const int Capacity = 256;

    private readonly GeneratedToken[] _items = new GeneratedToken[Capacity];
    private int _head;
    private int _tail;

    /// <summary>Whether nothing is left to take.</summary>
    public bool IsEmpty => Volatile.Read(ref _head) == Volatile.Read(ref _tail);

    /// <summary>How many tokens can be added now; only the writer can make it less.</summary>
    public int Room => Capacity - (Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    /// <summary>Adds a token, for which there must be room.</summary>
    public void Add(in GeneratedToken token)
    {
        _items[_tail & (Capacity - 1)] = token;
        Volatile.Write(ref _tail, _tail + 1);
    }

    /// <summary>Takes the oldest token, if there is one.</summary>
    public bool TryTake(out GeneratedToken token)
    {
        if (IsEmpty)
        {
            token = default;
            return false;
        }

        ref GeneratedToken slot = ref _items[_head & (Capacity - 1)];
        token = slot;
        slot = default;
        Volatile.Write(ref _head, _head + 1);
        return true;
    }
}
