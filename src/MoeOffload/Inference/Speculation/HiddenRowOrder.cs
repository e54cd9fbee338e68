using MoeOffload.Native;

namespace MoeOffload.Inference.Speculation;

/// <summary>Calculates in which row llama.cpp stores the hidden state of each token of a batch if it keeps the states of all tokens.</summary>
/// <remarks>
/// For two reasons, the rows are not in the order of the tokens. llama.cpp splits a batch into micro-batches and appends the rows of each. If
/// each sequence has its own cache or state, a micro-batch takes the same number of tokens from each of its sequences
/// (<c>llama_batch_allocr::split_equal</c>). Afterwards, llama.cpp restores the order of the logits and swaps the hidden rows with the same
/// numbers along with them, even if these belong to other tokens (<c>llama_context::output_reorder</c>).
/// </remarks>
internal sealed class HiddenRowOrder
{
    private readonly int _microBatchSize;
    private readonly bool _splitsEqually;
    private readonly bool _isConsecutive;
    private readonly int _tail;
    private readonly List<Run> _runs = [];
    private readonly List<int> _taken = [];
    private readonly List<int> _order = [];
    private readonly List<int> _outputs = [];

    /// <summary>Initializes the order for a context.</summary>
    /// <param name="microBatchSize">The maximum number of tokens in a micro-batch.</param>
    /// <param name="splitsEqually"><see langword="true"/> if a micro-batch takes the same number of tokens from each of its sequences.</param>
    /// <param name="isConsecutive"><see langword="true"/> if a micro-batch takes only sequences with consecutive numbers.</param>
    /// <param name="tail">
    /// The number of tokens at the end of each sequence that must be in the same micro-batch, or 0 if there is no such restriction.
    /// </param>
    public HiddenRowOrder(int microBatchSize, bool splitsEqually, bool isConsecutive, int tail)
    {
        _microBatchSize = microBatchSize;
        _splitsEqually = splitsEqually;
        _isConsecutive = isConsecutive;
        _tail = tail;
    }

    /// <summary>Returns the order for a context.</summary>
    /// <param name="context">The context.</param>
    /// <param name="isUnified"><see langword="true"/> if all sequences of the context share one cache.</param>
    public static HiddenRowOrder Of(NativeContext context, bool isUnified) => new(
        context.MicroBatchSize,
        splitsEqually: !isUnified || !context.CanForgetParts,
        isConsecutive: !isUnified,
        tail: context.CanForgetParts || context.RollbackLength == 0 ? 0 : context.RollbackLength + 1);

    /// <summary>Finds the row of each token in a batch.</summary>
    /// <param name="sequences">The sequence of each token. The tokens of a sequence are contiguous.</param>
    /// <param name="outputs">A value for each token, which is not 0 if the token has logits.</param>
    /// <param name="rows">Receives the rows.</param>
    public void Find(ReadOnlySpan<int> sequences, ReadOnlySpan<sbyte> outputs, Span<int> rows)
    {
        Split(sequences);
        SwapAsLogits(outputs);
        for (int row = 0; row < _order.Count; row++)
        {
            rows[_order[row]] = row;
        }
    }

    private void Split(ReadOnlySpan<int> sequences)
    {
        _order.Clear();
        _runs.Clear();
        for (int first = 0, end; first < sequences.Length; first = end)
        {
            end = first + 1;
            while (end < sequences.Length && sequences[end] == sequences[first])
            {
                end++;
            }

            _runs.Add(new Run(sequences[first], first, end - first));
        }

        if (!_splitsEqually || _runs.Count == 1)
        {
            for (int i = 0; i < sequences.Length; i++)
            {
                _order.Add(i);
            }
        }

        while (_order.Count < sequences.Length)
        {
            TakeMicroBatch();
        }
    }

    private void TakeMicroBatch()
    {
        Choose();
        int count = Math.Max(1, _microBatchSize / _taken.Count);
        foreach (int run in _taken)
        {
            count = Math.Min(count, _runs[run].Left);
        }

        for (int i = 0; i < _taken.Count; i++)
        {
            // If a micro-batch would split the end of a sequence, the end waits for the next micro-batch or is computed alone.
            int left = _runs[_taken[i]].Left;
            if (_tail > 0 && left > count && left < count + _tail)
            {
                if (i == 0)
                {
                    Emit(_taken[0], left <= _microBatchSize ? left : left - _tail);
                }

                return;
            }

            Emit(_taken[i], count);
        }
    }

    private void Choose()
    {
        _taken.Clear();
        for (int run = 0; run < _runs.Count && _taken.Count <= _microBatchSize; run++)
        {
            if (_runs[run].Left > 0 && (!_isConsecutive || _taken.Count == 0 || _runs[run].Sequence == _runs[_taken[^1]].Sequence + 1))
            {
                _taken.Add(run);
            }
        }
    }

    private void Emit(int run, int count)
    {
        (int sequence, int first, int left) = _runs[run];
        for (int i = 0; i < count; i++)
        {
            _order.Add(first + i);
        }

        _runs[run] = new Run(sequence, first + count, left - count);
    }

    // Repeats the selection sort with which llama.cpp orders the outputs.
    private void SwapAsLogits(ReadOnlySpan<sbyte> outputs)
    {
        _outputs.Clear();
        foreach (int token in _order)
        {
            if (outputs[token] != 0)
            {
                _outputs.Add(token);
            }
        }

        for (int i = 0; i < _outputs.Count - 1; i++)
        {
            int least = i;
            for (int j = i + 1; j < _outputs.Count; j++)
            {
                least = _outputs[j] < _outputs[least] ? j : least;
            }

            (_outputs[i], _outputs[least]) = (_outputs[least], _outputs[i]);
            (_order[i], _order[least]) = (_order[least], _order[i]);
        }
    }

    /// <summary>Represents the tokens of a sequence that are not assigned yet.</summary>
    private readonly record struct Run(int Sequence, int First, int Left);
}
