namespace MoeOffload.Gguf;

/// <summary>A set of UTF-8 texts that keeps them in one buffer: vocabularies pass through it on the way to the first token.</summary>
internal sealed class TextSet
{
    private readonly int[] _slots;
    private readonly int[] _ends;
    private byte[] _texts;
    private int _count;

    public TextSet(int capacity)
    {
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
        _ends = new int[capacity + 1];
        _texts = new byte[capacity * 8];
    }

    /// <summary>Adds a text; false if it is there already.</summary>
    public bool Add(ReadOnlySpan<byte> text)
    {
        var hash = new HashCode();
        hash.AddBytes(text);
        var mask = _slots.Length - 1;
        var slot = hash.ToHashCode() & mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            if (Text(_slots[slot] - 1).SequenceEqual(text))
            {
                return false;
            }
        }

        _slots[slot] = ++_count;
        Append(text);
        return true;
    }

    private ReadOnlySpan<byte> Text(int index) => _texts.AsSpan(_ends[index].._ends[index + 1]);

    private void Append(ReadOnlySpan<byte> text)
    {
        var start = _ends[_count - 1];
        if (_texts.Length - start < text.Length)
        {
            Array.Resize(ref _texts, Math.Max(_texts.Length * 2, start + text.Length));
        }

        text.CopyTo(_texts.AsSpan(start));
        _ends[_count] = start + text.Length;
    }
}
