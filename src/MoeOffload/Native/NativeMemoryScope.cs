using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>Native memory for the parameters of one call, all given back together.</summary>
internal sealed unsafe class NativeMemoryScope : IDisposable
{
    private readonly List<nint> _blocks = [];

    /// <summary>Zeroed room for <paramref name="count"/> values.</summary>
    public T* Allocate<T>(int count)
        where T : unmanaged
    {
        T* block = (T*)NativeMemory.AllocZeroed((nuint)Math.Max(count, 1), (nuint)sizeof(T));
        _blocks.Add((nint)block);
        return block;
    }

    /// <summary>A terminated UTF-8 copy of a text.</summary>
    public byte* Text(string text, string what)
    {
        byte[] bytes = Utf8.ToTerminated(text, what);
        byte* block = Allocate<byte>(bytes.Length);
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        return block;
    }

    /// <summary>Gives all blocks back.</summary>
    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }

        _blocks.Clear();
    }
}
