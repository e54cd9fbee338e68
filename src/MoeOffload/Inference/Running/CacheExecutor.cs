using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Carries out with the native context what a <see cref="PrefixCache"/> decides. The runner's thread owns it.</summary>
/// <param name="runner">The context's owner.</param>
/// <param name="cache">Where results go.</param>
internal sealed class CacheExecutor(ContextRunner runner, PrefixCache cache)
{
    /// <summary>Gets the context.</summary>
    public NativeContext Context => runner.Context;

    /// <summary>Gets what decides.</summary>
    public PrefixCache Cache => cache;

    /// <summary>Carries out operations, each before the next is asked for.</summary>
    /// <exception cref="NativeAbortException">One failed, and nobody knows what the KV cache holds: the context is unusable.</exception>
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

    /// <summary>Gives a sequence to whoever computes outside of the plan.</summary>
    /// <param name="prompt">What it begins with; the last token is always computed.</param>
    /// <param name="capacity">The most tokens that it can come to.</param>
    public SequenceSlot Acquire(ReadOnlyMemory<int> prompt, int capacity)
    {
        var lease = new SlotLease(prompt, capacity);
        Run(cache.Acquire(lease));
        return lease.Slot!;
    }

    /// <summary>Removes a sequence's tokens from a position on.</summary>
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
            // The budget is more than the machine has: what does not fit is computed again.
            return new CacheResult(Succeeded: false);
        }
    }
}
