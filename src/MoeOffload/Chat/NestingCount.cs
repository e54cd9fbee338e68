namespace MoeOffload.Chat;

/// <summary>Computes an upper bound for the nesting depth of JSON in a growing text. Brackets in JSON strings are counted as well.</summary>
internal sealed class NestingCount
{
    private int _depth;

    /// <summary>Gets the maximum number of brackets that were open at the same time.</summary>
    public int Deepest { get; private set; }

    /// <summary>Adds text to the count.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        foreach (byte value in text)
        {
            if (value is (byte)'[' or (byte)'{')
            {
                Deepest = Math.Max(Deepest, ++_depth);
            }
            else if (value is (byte)']' or (byte)'}')
            {
                _depth = Math.Max(_depth - 1, 0);
            }
        }
    }
}
