using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace System.IO;

/// <summary>Reads files at offsets, like the class of .NET 6: on Linux and macOS.</summary>
internal static unsafe class RandomAccess
{
    /// <summary>Reads bytes, and returns their number.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="fileOffset">The offset in the file.</param>
    /// <exception cref="IOException">The file could not be read.</exception>
    public static int Read(SafeFileHandle handle, Span<byte> buffer, long fileOffset)
    {
        bool added = false;
        handle.DangerousAddRef(ref added);
        try
        {
            fixed (byte* start = buffer)
            {
                nint count = Read((int)handle.DangerousGetHandle(), start, (nuint)buffer.Length, fileOffset);
                return count >= 0 ? (int)count : throw new IOException("The file could not be read.");
            }
        }
        finally
        {
            handle.DangerousRelease();
        }
    }

    [DllImport("libc", EntryPoint = "pread")]
    private static extern nint Read(int descriptor, byte* buffer, nuint count, long offset);
}
