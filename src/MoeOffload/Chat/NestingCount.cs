namespace MoeOffload.Chat;

/// <summary>A bound for how deep JSON in a text nests, counted as the text grows: brackets in JSON's texts count as well.</summary>
internal sealed class NestingCount
{
    private int _depth;

    /// <summary>The most brackets that were open at once.</summary>
    public int Deepest { get; private set; }

    /// <summary>Counts what is added.</summary>
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
