using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Native;

/// <summary>Converts texts to and from native code, where they are terminated UTF-8.</summary>
internal static unsafe class Utf8
{
    /// <summary>Reads a terminated text. A NULL pointer is read as an empty text.</summary>
    public static string ToString(byte* text) =>
        text == null ? string.Empty : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    /// <summary>Converts a text to terminated UTF-8. A text that contains NUL would be truncated, and is therefore rejected.</summary>
    /// <exception cref="ArgumentException">The text contains a NUL character.</exception>
    public static byte[] ToTerminated(string text, string what)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException($"{what} contains a NUL character.", nameof(text));
        }

        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}
