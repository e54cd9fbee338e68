namespace TinyMoe.Corpus;

/// <summary>
/// Packs whole documents into windows of a fixed length, so that no question is separated from its context. A token has 16 bits, the
/// highest of which marks answers.
/// </summary>
internal sealed class WindowPacker(Stream output, int length, int end)
{
    private const int MostOpen = 64;
    private const int AnswerBit = 0x8000;

    private readonly List<List<int>> _open = [];

    /// <summary>Gets the number of windows written so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a document and an end token to the fullest window that has room for them.</summary>
    public void Add(IEnumerable<(int Id, bool IsAnswer)> tokens)
    {
        int[] ended = [.. tokens.Take(length - 1).Select(token => token.Id | (token.IsAnswer ? AnswerBit : 0)), end];
        if (_open.Where(window => window.Count + ended.Length <= length).MaxBy(window => window.Count) is { } window)
        {
            window.AddRange(ended);
            return;
        }

        if (_open.Count == MostOpen)
        {
            List<int> fullest = _open.MaxBy(open => open.Count)!;
            Write(fullest);
            _open.Remove(fullest);
        }

        _open.Add([.. ended]);
    }

    public void Finish()
    {
        _open.ForEach(Write);
        _open.Clear();
    }

    private void Write(List<int> window)
    {
        Span<byte> bytes = stackalloc byte[2];
        foreach (int token in window.Concat(Enumerable.Repeat(end, length - window.Count)))
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)token);
            output.Write(bytes);
        }

        Count++;
    }
}
