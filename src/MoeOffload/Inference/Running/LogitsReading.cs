using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Computes a text in a sequence of its own and passes the logits of its tokens to a callback, on the scheduler's thread.</summary>
/// <param name="tokens">The tokens of the text.</param>
/// <param name="start">The first position whose logits are read.</param>
/// <param name="outputCount">The maximum number of positions in one step whose logits can be read.</param>
/// <param name="reader">The callback that receives the logits.</param>
/// <param name="throwIfEnded">An action that is called before each step, and throws if the computation must end.</param>
internal sealed class LogitsReading(int[] tokens, int start, int outputCount, LogitsReader reader, Action throwIfEnded)
{
    /// <summary>Performs the computation.</summary>
    public void Run(CacheExecutor executor)
    {
        throwIfEnded();
        if (executor.Cache.FreeCount == 0)
        {
            throw new InvalidOperationException("All sequences of the session are in use. Wait for a generation to end, or increase ContextOptions.SequenceCount.");
        }

        // Positions whose logits are read must be computed, even if the KV cache contains them.
        SequenceSlot sequence = executor.Acquire(tokens.AsMemory(0, start + 1), tokens.Length);
        sequence.Tokens.AddRange(tokens.AsSpan(start + 1));
        try
        {
            NativeContext context = executor.Context;
            float[] logits = new float[context.VocabularySize];
            while (sequence.Count < tokens.Length)
            {
                throwIfEnded();
                Compute(executor, sequence);
                Show(context, sequence.Count - context.BatchCount, logits);
            }
        }
        catch (NativeAbortException)
        {
            // The context is lost, and the cache is reset elsewhere.
            throw;
        }
        catch
        {
            executor.Run(executor.Cache.Release(sequence));
            throw;
        }

        executor.Run(executor.Cache.Release(sequence));
    }

    private void Compute(CacheExecutor executor, SequenceSlot sequence)
    {
        NativeContext context = executor.Context;
        context.ClearBatch();
        int outputs = 0;
        for (int i = sequence.Count; i < tokens.Length && context.BatchCount < context.BatchSize && outputs < outputCount; i++)
        {
            outputs += i >= start ? 1 : 0;
            context.Add(tokens[i], i, sequence.Id, wantsLogits: i >= start);
        }

        context.ClearStop();
        DecodeResult result;
        while ((result = context.Decode()) == DecodeResult.NoRoom)
        {
            if (!executor.Cache.CanEvict())
            {
                throw new ContextFullException("Running generations use the room in the KV cache that the text needs. Wait for them to end, or increase ContextOptions.ContextLength.");
            }

            executor.Run(executor.Cache.EvictOldest());
        }

        if (result != DecodeResult.Done)
        {
            executor.Run(executor.Cache.Rewind(sequence));
            throw new OperationCanceledException("The computation was stopped.");
        }

        sequence.Count += context.BatchCount;
    }

    private void Show(NativeContext context, int first, float[] logits)
    {
        for (int i = Math.Max(0, start - first); i < context.BatchCount; i++)
        {
            context.CopyLogits(i, logits);
            reader(first + i, logits);
        }
    }
}
