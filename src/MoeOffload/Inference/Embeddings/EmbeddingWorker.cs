using Microsoft.Extensions.Logging;
using MoeOffload.Embeddings;
using MoeOffload.Native;

namespace MoeOffload.Inference.Embeddings;

/// <summary>
/// Computes embeddings. Each step packs as many whole texts as fit, of several callers; a text that is longer than a step is computed
/// alone, in parts.
/// </summary>
internal sealed class EmbeddingWorker : ContextThread
{
    private readonly int _sequenceCount;
    private readonly int _stepSize;
    private readonly int _dimension;
    private readonly float[] _rows;
    private readonly List<EmbeddingJob> _jobs = [];
    private readonly List<Part> _step = [];
    private readonly object _inbox = new();

    public EmbeddingWorker(
        Func<NativeContext> makeContext, NativeContext context, int sequenceCount, int dimension, ModelHandle model, ILogger logger)
        : base("embedder", makeContext, context, model, model.Servers, logger)
    {
        _sequenceCount = sequenceCount;
        _stepSize = Math.Min(context.BatchSize, context.MicroBatchSize);
        _dimension = dimension;
        _rows = new float[checked(_stepSize * dimension)];
        Start();
    }

    /// <inheritdoc/>
    protected override bool IsWanted => !_step.TrueForAll(static part => part.Job.IsEnded);

    /// <summary>Adds a job.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    public void Submit(EmbeddingJob job)
    {
        lock (_inbox)
        {
            if (Failure is { } failure)
            {
                throw new InferenceException(failure.Message, failure);
            }

            ObjectDisposedException.ThrowIf(IsStopping, typeof(Embedder));
            _jobs.Add(job);
            Monitor.Pulse(_inbox);
        }
    }

    /// <inheritdoc/>
    public override void Wake()
    {
        lock (_inbox)
        {
            Monitor.Pulse(_inbox);
        }
    }

    /// <inheritdoc/>
    protected override bool Step()
    {
        Pack();
        if (_step.Count == 0)
        {
            return false;
        }

        Compute();
        return true;
    }

    /// <inheritdoc/>
    protected override void Wait()
    {
        lock (_inbox)
        {
            while (!IsStopping && _jobs.Count == 0)
            {
                Monitor.Wait(_inbox);
            }
        }
    }

    /// <inheritdoc/>
    protected override void OnLost(InferenceException failure) => FailAll(failure);

    /// <inheritdoc/>
    protected override void FailAll(Exception failure)
    {
        EmbeddingJob[] jobs;
        lock (_inbox)
        {
            jobs = [.. _jobs];
            _jobs.Clear();
        }

        foreach (EmbeddingJob job in jobs)
        {
            // Thrown to several callers, each with its own stack.
            job.Fail(failure is ObjectDisposedException ? new ObjectDisposedException(nameof(Embedder)) : new InferenceException(failure.Message, failure));
        }
    }

    /// <inheritdoc/>
    protected override void Close() => FailAll(new ObjectDisposedException(nameof(Embedder)));

    private void Pack()
    {
        EmbeddingJob[] jobs;
        lock (_inbox)
        {
            _jobs.RemoveAll(job => job.IsEnded);
            jobs = [.. _jobs];
        }

        lock (Gate)
        {
            _step.Clear();
            Context.ClearBatch();
            Fill(jobs);
        }
    }

    private void Fill(EmbeddingJob[] jobs)
    {
        foreach (EmbeddingJob job in jobs)
        {
            foreach (EmbeddingText text in job.Texts)
            {
                if (!text.IsDone && !TryAdd(job, text))
                {
                    return;
                }
            }
        }
    }

    private bool TryAdd(EmbeddingJob job, EmbeddingText text)
    {
        int left = text.Tokens.Length - text.Position;
        int room = _stepSize - Context.BatchCount;
        bool isFirst = _step.Count == 0;
        if (_step.Count == _sequenceCount || (!isFirst && (left > room || text.Position > 0)))
        {
            return false;
        }

        if (isFirst && text.Position == 0)
        {
            Context.Remove(sequence: -1, fromPosition: 0);
        }

        int count = Math.Min(left, room);
        _step.Add(new Part(job, text, Context.BatchCount, count));
        for (int i = 0; i < count; i++)
        {
            int position = text.Position + i;
            Context.Add(text.Tokens[position], position, _step.Count - 1, wantsLogits: true);
        }

        // A part of a longer text needs what is in the cache for itself.
        return count == text.Tokens.Length;
    }

    private void Compute()
    {
        DecodeResult result = Decode();
        if (result != DecodeResult.Done)
        {
            foreach (Part part in _step)
            {
                part.Text.Restart();
                if (result == DecodeResult.NoRoom)
                {
                    part.Job.Fail(new InferenceException("The context has no room for the texts of one step: set EmbeddingOptions.ContextLength higher."));
                }
            }

            return;
        }

        foreach (Part part in _step)
        {
            HandOut(part);
        }
    }

    private void HandOut(Part part)
    {
        Span<float> rows = _rows.AsSpan(0, part.Count * _dimension);
        Context.CopyEmbeddings(part.First, part.Count, rows);
        if (!AreFinite(rows))
        {
            part.Text.Restart();
            part.Job.Fail(new InferenceException("The embeddings are not finite: the weights are damaged, or the computation overflowed."));
            return;
        }

        part.Text.Add(rows);
        part.Job.CompleteIfDone();
    }

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        bool finite = true;
        foreach (float value in values)
        {
            finite &= float.IsFinite(value);
        }

        return finite;
    }

    /// <summary>What one step computes of one text.</summary>
    private readonly record struct Part(EmbeddingJob Job, EmbeddingText Text, int First, int Count);
}
