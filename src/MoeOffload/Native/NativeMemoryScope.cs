using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>Allocates native memory, such as for the parameters of a call, and frees all of it together.</summary>
internal sealed unsafe class NativeMemoryScope : IDisposable
{
    private readonly List<nint> _blocks = [];

    /// <summary>Allocates zeroed memory for <paramref name="count"/> values.</summary>
    public T* Allocate<T>(int count)
        where T : unmanaged
    {
        T* block = (T*)NativeMemory.AllocZeroed((nuint)Math.Max(count, 1), (nuint)sizeof(T));
        _blocks.Add((nint)block);
        return block;
    }

    /// <summary>Allocates a terminated UTF-8 copy of a text.</summary>
    public byte* Text(string text, string what)
    {
        byte[] bytes = Utf8.ToTerminated(text, what);
        byte* block = Allocate<byte>(bytes.Length);
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        return block;
    }

    /// <summary>Frees all memory.</summary>
    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }

        _blocks.Clear();
    }
}
