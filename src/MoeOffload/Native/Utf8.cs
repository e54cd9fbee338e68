using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Native;

/// <summary>Texts to and from native code: always UTF-8, always terminated.</summary>
internal static unsafe class Utf8
{
    /// <summary>Reads a terminated text; a NULL pointer reads as empty.</summary>
    public static string ToString(byte* text) =>
        text == null ? string.Empty : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    /// <summary>Writes a terminated text. A text with a NUL inside would be cut short, so it is refused.</summary>
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
