using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MoeOffload.Gguf;

/// <summary>Represents a set of UTF-8 texts, stored in one buffer for speed: every vocabulary is checked with it when a model is loaded.</summary>
internal sealed class TextSet
{
    // The seed differs in each process, so that nobody can create a file whose texts all collide.
    private static readonly ulong s_seed = (ulong)Random.Shared.NextInt64();

    private readonly int[] _slots;
    private readonly int[] _ends;
    private byte[] _texts;
    private int _count;

    public TextSet(int capacity)
    {
        _slots = new int[(int)BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
        _ends = new int[capacity + 1];
        _texts = new byte[capacity * 8];
    }

    /// <summary>Adds a text. Returns <see langword="false"/> if the set already contains it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool Add(ReadOnlySpan<byte> text)
    {
        var mask = _slots.Length - 1;
        var slot = Hash(text) & mask;
        for (; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            var index = _slots[slot] - 1;
            if (_texts.AsSpan(_ends[index].._ends[index + 1]).SequenceEqual(text))
            {
                return false;
            }
        }

        _slots[slot] = ++_count;
        Append(text);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Hash(ReadOnlySpan<byte> text)
    {
        var hash = s_seed ^ (ulong)text.Length;
        for (; text.Length >= sizeof(ulong); text = text[sizeof(ulong)..])
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(text));
        }

        foreach (var value in text)
        {
            hash = (hash << 8) ^ (hash >> 56) ^ value;
        }

        return (int)(Mix(hash) >> 33);
    }

    // The finalizer of splitmix64, shortened.
    private static ulong Mix(ulong value)
    {
        value *= 0xBF58476D1CE4E5B9;
        return (value ^ (value >> 29)) * 0x94D049BB133111EB;
    }

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
