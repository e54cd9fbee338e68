using FluentAssertions;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Tests.Inference.Planning;

/// <summary>
/// A KV cache as llama.cpp's, of which only the tokens are kept, and what each was computed after. It fails a test that does what would
/// corrupt a real one: computes a position twice or with a gap, copies over what is there, or moves cells that sequences share.
/// </summary>
internal sealed class CacheModel(CacheShape shape)
{
    private const int BytesPerToken = 10;

    private readonly List<Cell>[] _sequences = [.. Enumerable.Range(0, shape.SequenceCount).Select(_ => new List<Cell>())];

    /// <summary>Whether there is memory for sequences that are swapped out.</summary>
    public bool HasHostMemory { get; set; } = true;

    /// <summary>Whether positions can be moved.</summary>
    public bool CanShift { get; set; } = true;

    /// <summary>Sequences in system memory that were not disposed.</summary>
    public int OpenStates { get; private set; }

    /// <summary>The operations, in order.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Carries out operations as the runner does.</summary>
    public void Run(PrefixCache cache, IEnumerable<CacheOperation> operations)
    {
        foreach (CacheOperation operation in operations)
        {
            cache.Complete(Execute(operation));
        }
    }

    /// <summary>The tokens that a sequence holds.</summary>
    public int[] Tokens(int sequence) => [.. _sequences[sequence].Select(cell => cell.Token)];

    /// <summary>The tokens after which the last token of a sequence was computed, including itself.</summary>
    public long History(int sequence, int position) => _sequences[sequence][position].History;

    /// <summary>Cells that are used.</summary>
    public int CountCells() => _sequences.SelectMany(cells => cells).Distinct().Count();

    /// <summary>Computes a batch, or the beginning of it.</summary>
    /// <returns>False if there is no room; nothing is computed then.</returns>
    public bool TryCompute(IReadOnlyList<BatchEntry> entries, int count)
    {
        entries.Count.Should().BeLessThanOrEqualTo(shape.BatchSize);
        if (shape.IsUnified && CountCells() + entries.Count > shape.CellCount)
        {
            return false;
        }

        foreach (BatchEntry entry in entries.Take(count))
        {
            List<Cell> cells = _sequences[entry.Sequence];
            entry.Position.Should().Be(cells.Count, "each position of sequence {0} is computed once, after the one before", entry.Sequence);
            cells.Count.Should().BeLessThan(shape.SequenceLength);
            cells.Add(new Cell(entry.Token, Extend(cells.Count > 0 ? cells[^1].History : 0, entry.Token)));
        }

        return true;
    }

    /// <summary>The tokens after which a token is computed, including itself.</summary>
    public static long Extend(long history, int token) => unchecked(((history + token + 1) * 6364136223846793005L) + 1442695040888963407L);

    /// <summary>Carries out one operation.</summary>
    public CacheResult Execute(in CacheOperation operation)
    {
        Log.Add(operation.ToString());
        List<Cell> cells = _sequences[operation.Sequence];
        switch (operation.Kind)
        {
            case CacheOperationKind.FindFirstPosition:
                return new CacheResult(true, Math.Max(cells.Count == 0 ? -1 : 0, cells.Count - (2 * shape.WindowLength)));
            case CacheOperationKind.MeasureState:
                return new CacheResult(true, cells.Count * BytesPerToken);
            case CacheOperationKind.Trim:
                return new CacheResult(TryTrim(cells, operation.From));
            case CacheOperationKind.Copy:
                cells.Should().BeEmpty("a copy replaces what is there");
                cells.AddRange(_sequences[operation.Source].Select(cell => shape.IsUnified ? cell : cell with { }));
                return new CacheResult(true);
            case CacheOperationKind.Shift:
                return new CacheResult(TryShift(cells, operation.From, operation.To));
            case CacheOperationKind.SwapOut:
                return SwapOut(cells, operation.Tokens);
            default:
                return new CacheResult(TrySwapIn(cells, (State)operation.Host!.State));
        }
    }

    private bool TryTrim(List<Cell> cells, int from)
    {
        if (!shape.CanTrim && from > 0 && from < cells.Count)
        {
            return false;
        }

        from.Should().BeGreaterThanOrEqualTo(0);
        cells.RemoveRange(Math.Min(from, cells.Count), cells.Count - Math.Min(from, cells.Count));
        return true;
    }

    private bool TryShift(List<Cell> cells, int from, int to)
    {
        if (!CanShift)
        {
            return false;
        }

        _sequences.Count(other => other != cells && other.Intersect(cells.Skip(from)).Any()).Should().Be(0, "a shared cell has one position");
        to.Should().BeInRange(from + 1, cells.Count);
        cells.RemoveRange(from, to - from);
        return true;
    }

    private CacheResult SwapOut(List<Cell> cells, int[] tokens)
    {
        tokens.Should().Equal(cells.Select(cell => cell.Token), "a state is that of its tokens");
        if (!HasHostMemory)
        {
            return new CacheResult(false);
        }

        OpenStates++;
        return new CacheResult(true, Host: new HostSequence(tokens, tokens.Length * BytesPerToken, new State([.. cells], () => OpenStates--)));
    }

    private bool TrySwapIn(List<Cell> cells, State state)
    {
        cells.Should().BeEmpty("a state replaces what is there");
        state.IsDisposed.Should().BeFalse();
        if (shape.IsUnified && CountCells() + state.Cells.Length > shape.CellCount)
        {
            return false;
        }

        cells.AddRange(state.Cells.Select(cell => cell with { }));
        return true;
    }

    private sealed class State(Cell[] cells, Action onDisposed) : IDisposable
    {
        public Cell[] Cells => cells;

        public bool IsDisposed { get; private set; }

        public void Dispose()
        {
            IsDisposed.Should().BeFalse("it is given back once");
            IsDisposed = true;
            onDisposed();
        }
    }

    private sealed record Cell(int Token, long History)
    {
        public bool Equals(Cell? other) => ReferenceEquals(this, other);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);
    }
}
