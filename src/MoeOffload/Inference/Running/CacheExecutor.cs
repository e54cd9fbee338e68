using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Performs the operations that a <see cref="PrefixCache"/> decides on with the native context. It belongs to the runner's thread.</summary>
/// <param name="runner">The owner of the context.</param>
/// <param name="cache">The prefix cache, which receives the results.</param>
internal sealed class CacheExecutor(ContextRunner runner, PrefixCache cache)
{
    /// <summary>Gets the context.</summary>
    public NativeContext Context => runner.Context;

    /// <summary>Gets the prefix cache.</summary>
    public PrefixCache Cache => cache;

    /// <summary>Performs operations one by one. The next operation is requested after the previous one is complete.</summary>
    /// <exception cref="NativeAbortException">
    /// An operation failed, so the contents of the KV cache are unknown and the context is unusable.
    /// </exception>
    public void Run(IEnumerable<CacheOperation> operations)
    {
        foreach (CacheOperation operation in operations)
        {
            try
            {
                cache.Complete(Execute(operation));
            }
            catch (InferenceException exception)
            {
                throw new NativeAbortException(exception.Message);
            }
        }
    }

    /// <summary>Acquires a sequence slot for a computation that is not planned.</summary>
    /// <param name="prompt">The tokens at the beginning of the sequence. The last token is always computed.</param>
    /// <param name="capacity">The maximum number of tokens in the sequence.</param>
    public SequenceSlot Acquire(ReadOnlyMemory<int> prompt, int capacity)
    {
        var lease = new SlotLease(prompt, [], capacity);
        Run(cache.Acquire(lease));
        return lease.Slot!;
    }

    /// <summary>Removes the tokens of a sequence from a position onwards.</summary>
    public void Trim(int sequence, int from) => Context.Remove(sequence, from);

    private CacheResult Execute(in CacheOperation operation)
    {
        switch (operation.Kind)
        {
            case CacheOperationKind.FindFirstPosition:
                return new CacheResult(Succeeded: true, Context.FirstPosition(operation.Sequence));
            case CacheOperationKind.MeasureState:
                return new CacheResult(Succeeded: true, Context.StateSize(operation.Sequence));
            case CacheOperationKind.Trim:
                return new CacheResult(Context.Remove(operation.Sequence, operation.From));
            case CacheOperationKind.Copy:
                Context.Copy(operation.Source, operation.Sequence);
                return new CacheResult(Succeeded: true);
            case CacheOperationKind.Shift:
                return new CacheResult(Context.Discard(operation.Sequence, operation.From, operation.To));
            case CacheOperationKind.SwapOut:
                return SwapOut(operation.Sequence, operation.Tokens);
            default:
                return new CacheResult(Context.TryWriteState(operation.Sequence, ((SavedSequence)operation.Host!.State).Data));
        }
    }

    private CacheResult SwapOut(int sequence, int[] tokens)
    {
        try
        {
            return new CacheResult(Succeeded: true, Host: SavedSequence.Read(Context, sequence, tokens).ToHost());
        }
        catch (OutOfMemoryException)
        {
            // The budget exceeds the memory of the machine. Sequences that do not fit are computed again.
            return new CacheResult(Succeeded: false);
        }
    }
}
