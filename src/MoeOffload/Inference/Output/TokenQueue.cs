namespace MoeOffload.Inference.Output;

/// <summary>Represents a lock-free ring buffer of tokens for one writer and one reader.</summary>
internal sealed class TokenQueue
{
    /// <summary>The capacity in tokens, which is a power of two.</summary>
    public const int Capacity = 256;

    private readonly GeneratedToken[] _items = new GeneratedToken[Capacity];
    private int _head;
    private int _tail;

    /// <summary>Gets a value that indicates whether the queue is empty.</summary>
    public bool IsEmpty => Volatile.Read(ref _head) == Volatile.Read(ref _tail);

    /// <summary>Gets the number of tokens that can be added. Only the writer can decrease it.</summary>
    public int Room => Capacity - (Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    /// <summary>Adds a token. There must be room for it.</summary>
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
