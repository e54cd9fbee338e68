using System.Text;

namespace MoeOffload;

/// <summary>Reads what stands between brackets in a placement pattern.</summary>
internal sealed class PatternSetReader(PatternCursor cursor)
{
    /// <summary>Reads to the closing bracket, the opening one at <paramref name="start"/> being read.</summary>
    public ByteSet Read(int start)
    {
        var set = new ByteSet();
        var negative = cursor.Take('^');
        while (!cursor.Take(']'))
        {
            var itemStart = cursor.At;
            var low = ReadItem(start, set);
            if (low is null || cursor.AtEnd || cursor.Peek != (byte)'-' || cursor.At + 1 == cursor.Bytes.Length || cursor.Bytes[cursor.At + 1] == (byte)']')
            {
                if (low is { } single)
                {
                    set.Add(single);
                }

                continue;
            }

            cursor.At++;
            if (ReadItem(start, set) is not { } high)
            {
                set.Add(low.Value);
                set.Add((byte)'-');
            }
            else if (low > high && high < 128)
            {
                throw cursor.Error(itemStart, "begins a range whose end comes before its start; turn it around");
            }
            else if (low <= high)
            {
                set.AddRange(low.Value, high);
            }
        }

        if (negative)
        {
            set.Invert();
        }

        return set;
    }

    // One byte, or null for a class, which is in the set then.
    private byte? ReadItem(int start, ByteSet set)
    {
        if (cursor.AtEnd)
        {
            throw cursor.Error(start, "opens a bracket that is not closed; close it, or write \\[ for a literal one");
        }

        var at = cursor.At++;
        switch ((char)cursor.Bytes[at])
        {
            case '[' when !cursor.AtEnd && (char)cursor.Peek is ':' or '.' or '=':
                return ReadNamed(at, set);
            case '\\' when cursor.AtEnd:
                throw cursor.Error(start, "opens a bracket that is not closed; close it, or write \\[ for a literal one");
            case '\\' when PatternClasses.OfEscape((char)cursor.Peek) is { } escaped:
                cursor.At++;
                set.AddWhere(escaped.Contains);
                return null;
            case '\\' when (char)cursor.Peek is 'B' or (>= '1' and <= '9'):
                throw cursor.Error(at, "is an escape that means nothing inside brackets");
            case '\\':
                return cursor.ReadEscapedByte(at);
            default:
                return cursor.Bytes[at];
        }
    }

    private byte? ReadNamed(int at, ByteSet set)
    {
        var kind = cursor.Read();
        var length = cursor.Bytes.AsSpan(cursor.At).IndexOf(kind);
        if (length < 0 || cursor.At + length + 1 >= cursor.Bytes.Length || cursor.Bytes[cursor.At + length + 1] != (byte)']')
        {
            throw cursor.Error(at, $"opens a class that is not closed; write [{(char)kind}…{(char)kind}]");
        }

        var name = Encoding.UTF8.GetString(cursor.Bytes, cursor.At, length);
        cursor.At += length + 2;
        if (kind == (byte)':')
        {
            var named = PatternClasses.OfName(name)
                ?? throw cursor.Error(at, $"names the class '{name}', which is none of {string.Join(", ", PatternClasses.Names)}");
            set.AddWhere(named.Contains);
            return null;
        }

        if (length != 1)
        {
            throw cursor.Error(at, $"names the character '{name}'; write the character itself");
        }

        return (byte)name[0];
    }
}
