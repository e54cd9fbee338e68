using System.Text;

namespace MoeOffload.Inference.Output;

/// <summary>Holds tokens back while their text might be the beginning of a stop string.</summary>
internal sealed class StopStringFilter
{
    private readonly IReadOnlyList<string> _texts;
    private readonly byte[][] _stops;
    private readonly Queue<GeneratedToken> _held = new();
    private byte[] _text = new byte[256];
    private int _length;

    public StopStringFilter(IReadOnlyList<string> stops)
    {
        _texts = stops;
        _stops = [.. stops.Select(stop => Encoding.UTF8.GetBytes(stop))];
    }

    /// <summary>Gets a value that indicates whether there are stop strings.</summary>
    public bool IsActive => _stops.Length > 0;

    /// <summary>Gets the stop string that was found, or null if none was found.</summary>
    public string? Found { get; private set; }

    /// <summary>Adds a token. If it completes a stop string, only the text before the stop string can be released.</summary>
    /// <returns><see langword="true"/> if a stop string was found.</returns>
    public bool Append(in GeneratedToken token)
    {
        _held.Enqueue(token);
        if (_length + token.Utf8.Length > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _length + token.Utf8.Length));
        }

        token.Utf8.Span.CopyTo(_text.AsSpan(_length));
        _length += token.Utf8.Length;

        int found = -1;
        for (int i = 0; i < _stops.Length; i++)
        {
            int at = _text.AsSpan(0, _length).IndexOf(_stops[i]);
            if (at >= 0 && (found < 0 || at < found))
            {
                found = at;
                Found = _texts[i];
            }
        }

        if (found < 0)
        {
            return false;
        }

        _length = found;
        return true;
    }

    /// <summary>Releases the next token whose text can no longer become part of a stop string.</summary>
    public bool TryRelease(out GeneratedToken token)
    {
        if (!_held.TryPeek(out token) || token.Utf8.Length > _length - UndecidedLength())
        {
            return false;
        }

        Drop(token.Utf8.Length);
        return true;
    }

    /// <summary>Releases the next held token at the end of a stream. Its text is cut off at the beginning of a stop string.</summary>
    public GeneratedToken Drain()
    {
        GeneratedToken token = _held.Peek();
        int kept = Math.Min(token.Utf8.Length, _length);
        Drop(kept);
        return token.With(token.Utf8[..kept], null);
    }

    /// <summary>Gets the number of tokens that are held back.</summary>
    public int HeldCount => _held.Count;

    private void Drop(int length)
    {
        _held.Dequeue();
        _text.AsSpan(length, _length - length).CopyTo(_text);
        _length -= length;
    }

    // Returns the length of the longest end of the text that is the beginning of a stop string.
    private int UndecidedLength()
    {
        int longest = 0;
        ReadOnlySpan<byte> text = _text.AsSpan(0, _length);
        foreach (byte[] stop in _stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text[^length..].SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
