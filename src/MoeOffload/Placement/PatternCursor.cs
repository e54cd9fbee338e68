using System.Text;

namespace MoeOffload;

/// <summary>A place in a pattern that is being read.</summary>
internal sealed class PatternCursor(byte[] bytes)
{
    private const string Special = "^$\\.*+?()[]{}|";

    /// <summary>The pattern in UTF-8.</summary>
    public byte[] Bytes { get; } = bytes;

    /// <summary>The next byte's index.</summary>
    public int At { get; set; }

    /// <summary>Whether no byte is left.</summary>
    public bool AtEnd => At == Bytes.Length;

    /// <summary>The next byte.</summary>
    public byte Peek => Bytes[At];

    /// <summary>Takes the next byte.</summary>
    public byte Read() => Bytes[At++];

    /// <summary>Takes the next byte if it is the expected one.</summary>
    public bool Take(char expected)
    {
        if (AtEnd || Bytes[At] != (byte)expected)
        {
            return false;
        }

        At++;
        return true;
    }

    /// <summary>Takes a decimal number, <see cref="int.MaxValue"/> for one too large; <see langword="null"/> if there is none.</summary>
    public int? ReadNumber()
    {
        var start = At;
        long value = 0;
        while (!AtEnd && char.IsAsciiDigit((char)Bytes[At]))
        {
            value = Math.Min((value * 10) + Read() - '0', int.MaxValue);
        }

        return At == start ? null : (int)value;
    }

    /// <summary>Reads an escape that stands for one byte, the backslash being read.</summary>
    public byte ReadEscapedByte(int start)
    {
        var escaped = (char)Read();
        switch (escaped)
        {
            case '0':
                return 0;
            case 'b':
                return (byte)'\b';
            case 'f':
                return (byte)'\f';
            case 'n':
                return (byte)'\n';
            case 'r':
                return (byte)'\r';
            case 't':
                return (byte)'\t';
            case 'v':
                return (byte)'\v';
            case 'c':
                return AtEnd ? throw Error(start, "names a control character without its letter") : Read();
            case 'x' or 'u':
                var digits = escaped == 'x' ? 2 : 4;
                var text = Encoding.Latin1.GetString(Bytes.AsSpan(At, Math.Min(digits, Bytes.Length - At)));
                if (text.Length < digits || !text.All(char.IsAsciiHexDigit))
                {
                    throw Error(start, $"needs {digits} hexadecimal digits after \\{escaped}");
                }

                At += digits;
                return (byte)Convert.ToInt32(text, 16);
            default:
                return (byte)escaped;
        }
    }

    /// <summary>An error that names a place in the pattern.</summary>
    public FormatException Error(int at, string what)
    {
        var position = Encoding.UTF8.GetCharCount(Bytes, 0, at);
        var shown = Special.Contains((char)Bytes[at], StringComparison.Ordinal) ? $" ({(char)Bytes[at]})" : "";
        return new FormatException($"character {position + 1}{shown} {what}");
    }
}
