using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>A block of system memory beyond the garbage collector's, to which its size is made known.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private readonly long _reserved;

    /// <summary>Reserves memory.</summary>
    /// <exception cref="OutOfMemoryException">There is not as much.</exception>
    public NativeBuffer(long length)
        : base(0, ownsHandle: true)
    {
        _reserved = length;
        Length = length;
        SetHandle((nint)NativeMemory.Alloc((nuint)length));
        GC.AddMemoryPressure(length);
    }

    /// <summary>Bytes that are used.</summary>
    public long Length { get; set; }

    /// <summary>The memory, for as long as this is not disposed.</summary>
    public byte* Pointer => (byte*)handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Makes a copy.</summary>
    public NativeBuffer Clone()
    {
        var copy = new NativeBuffer(Length);
        Buffer.MemoryCopy(Pointer, copy.Pointer, Length, Length);
        return copy;
    }

    /// <summary>Bytes from an offset on, as many as a span can hold.</summary>
    public Span<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new Span<byte>(Pointer + offset, length);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        GC.RemoveMemoryPressure(_reserved);
        return true;
    }
}
