using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>Represents a block of unmanaged memory whose size the garbage collector takes into account.</summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private readonly long _reserved;

    /// <summary>Allocates memory.</summary>
    /// <exception cref="OutOfMemoryException">There is not enough memory.</exception>
    public NativeBuffer(long length)
        : base(default, ownsHandle: true)
    {
        _reserved = length;
        Length = length;
        SetHandle((nint)NativeMemory.Alloc((nuint)length));
        GC.AddMemoryPressure(length);
    }

    /// <summary>Gets or sets the number of bytes that are used.</summary>
    public long Length { get; set; }

    /// <summary>Gets the memory, which is valid until this instance is disposed.</summary>
    public byte* Pointer => (byte*)handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Creates a copy.</summary>
    public NativeBuffer Clone()
    {
        var copy = new NativeBuffer(Length);
        Buffer.MemoryCopy(Pointer, copy.Pointer, Length, Length);
        return copy;
    }

    /// <summary>Gets a number of bytes from an offset on.</summary>
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
