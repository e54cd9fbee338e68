using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Preparation;
using MoeOffload.Inference.Running;
using MoeOffload.Native;

namespace MoeOffload.Inference.Embeddings;

/// <summary>
/// Computes embeddings on a thread of its own. Each step packs as many whole texts as fit, from several callers. A text that is longer than
/// a step is computed alone, in parts, unless the context pools, which needs whole texts.
/// </summary>
internal sealed class EmbeddingWorker : IContextWork
{
    private readonly ContextRunner _runner;
    private readonly BudgetAccount? _budget;
    private readonly int _sequenceCount;
    private readonly int _stepSize;
    private readonly int _dimension;
    private readonly bool _pools;
    private readonly float[] _rows;
    private readonly List<EmbeddingJob> _jobs = [];
    private readonly List<Part> _step = [];
    private readonly Lock _gate = new();
    private readonly PreparationQueue _preparations = new();
    private Exception? _closed;

    /// <summary>Takes ownership of a context and starts the thread.</summary>
    /// <param name="makeContext">A function that creates another context if the current one is lost.</param>
    /// <param name="context">The context.</param>
    /// <param name="sequenceCount">The maximum number of texts in one step.</param>
    /// <param name="dimension">The number of dimensions of an embedding.</param>
    /// <param name="model">The model of the context.</param>
    /// <param name="logger">The logger for messages of llama.cpp.</param>
    /// <param name="pools">Whether the context computes one result for each text, instead of an embedding for each token.</param>
    /// <param name="timeouts">The time to wait for RPC servers and devices that might be lost.</param>
    /// <param name="threads">How the threads are used, or null to change nothing.</param>
    public EmbeddingWorker(
        Func<NativeContext> makeContext,
        NativeContext context,
        int sequenceCount,
        int dimension,
        ModelHandle model,
        ILogger logger,
        bool pools = false,
        LossTimeouts? timeouts = null,
        ThreadControl? threads = null)
    {
        _budget = threads?.Budget;
        _sequenceCount = sequenceCount;
        _stepSize = Math.Min(context.BatchSize, context.MicroBatchSize);
        _dimension = dimension;
        _pools = pools;
        _rows = new float[checked(_stepSize * dimension)];
        _runner = new ContextRunner("embedder", this, context, makeContext, model, model.Servers, logger, timeouts, threads);
        _runner.Start();
    }

    /// <summary>Gets a task that completes when the thread has ended and its native memory is released, or when both were abandoned.</summary>
    public Task Ended => _runner.Ended;

    /// <inheritdoc cref="ContextRunner.Failure"/>
    public InferenceException? Failure => _runner.Failure;

    /// <inheritdoc/>
    public bool IsWanted => !_step.TrueForAll(static part => part.Job.IsEnded);

    private NativeContext Context => _runner.Context;

    /// <summary>Adds a job. The job keeps its place in the queue while it is tokenized.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The owner of the job has been disposed.</exception>
    public void Submit(EmbeddingJob job)
    {
        lock (_gate)
        {
            if (_closed is not null)
            {
                throw Copy(_closed, job);
            }

            _jobs.Add(job);
        }

        _preparations.Add(job);
    }

    /// <summary>Wakes the thread to look for work.</summary>
    public void Wake() => _runner.Wake();

    /// <summary>Notifies the thread that a job was canceled.</summary>
    public void OnCancelled() => _runner.OnCancelled();

    /// <summary>Ends all computations and the thread, without waiting for it.</summary>
    public void Stop()
    {
        Refuse(MakeDisposed());
        _runner.Stop();
    }

    /// <inheritdoc cref="ContextRunner.WhenDisposed"/>
    public Task WhenDisposed() => _runner.WhenDisposed();

    /// <inheritdoc/>
    public TimeSpan Step()
    {
        Pack();
        if (_step.Count == 0)
        {
            return Timeout.InfiniteTimeSpan;
        }

        TimeSpan pause = _budget?.FindPause(Stopwatch.GetTimestamp()) ?? TimeSpan.Zero;
        if (pause > TimeSpan.Zero)
        {
            return pause;
        }

        Compute();
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void OnContextLost(InferenceException failure) => FailAll(failure);

    /// <inheritdoc/>
    public void Refuse(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
        }
    }

    /// <inheritdoc/>
    public void FailAll(Exception failure)
    {
        EmbeddingJob[] jobs;
        lock (_gate)
        {
            jobs = [.. _jobs];
            _jobs.Clear();
        }

        foreach (EmbeddingJob job in jobs)
        {
            job.Fail(Copy(failure, job));
        }
    }

    /// <inheritdoc/>
    public void Abandon(Exception failure) => FailAll(failure);

    /// <inheritdoc/>
    public void Close() => FailAll(MakeDisposed());

    // Each caller gets a copy that names what it has called.
    private static ObjectDisposedException MakeDisposed() => new(objectName: null);

    // The same failure can be thrown to several callers, each with its own stack trace.
    private static Exception Copy(Exception failure, EmbeddingJob job) =>
        failure is ObjectDisposedException ? new ObjectDisposedException(job.OwnerName) : new InferenceException(failure.Message, failure);

    private static bool AreFinite(ReadOnlySpan<float> values)
    {
        bool finite = true;
        foreach (float value in values)
        {
            finite &= float.IsFinite(value);
        }

        return finite;
    }

    private void Pack()
    {
        EmbeddingJob[] jobs;
        lock (_gate)
        {
            _jobs.RemoveAll(static job => job.IsEnded);
            jobs = [.. _jobs];
        }

        _step.Clear();
        Context.ClearBatch();
        Fill(jobs);
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

        // A part of a longer text must not share the cache with other texts.
        return count == text.Tokens.Length;
    }

    private void Compute()
    {
        DecodeResult result = _runner.Decode();
        if (result != DecodeResult.Done)
        {
            foreach (Part part in _step)
            {
                part.Text.Restart();
                if (result == DecodeResult.NoRoom)
                {
                    part.Job.Fail(new InferenceException("The context has no room for the texts of one step. Increase EmbeddingOptions.ContextLength."));
                }
            }

            return;
        }

        for (int sequence = 0; sequence < _step.Count; sequence++)
        {
            HandOut(_step[sequence], sequence);
        }
    }

    private void HandOut(Part part, int sequence)
    {
        Span<float> rows = _rows.AsSpan(0, _pools ? _dimension : part.Count * _dimension);
        if (_pools)
        {
            Context.CopyPooled(sequence, rows);
        }
        else
        {
            Context.CopyEmbeddings(part.First, part.Count, rows);
        }

        if (!AreFinite(rows))
        {
            part.Text.Restart();
            part.Job.Fail(new InferenceException("The results are not finite. The weights are corrupt, or the computation overflowed."));
            return;
        }

        if (_pools)
        {
            part.Text.Complete(rows);
        }
        else
        {
            part.Text.Add(rows);
        }

        part.Job.CompleteIfDone();
    }

    /// <summary>Represents the part of a text that one step computes.</summary>
    private readonly record struct Part(EmbeddingJob Job, EmbeddingText Text, int First, int Count);
}
