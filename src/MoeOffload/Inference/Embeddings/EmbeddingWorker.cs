using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Owns a native context on a thread of its own, and computes embeddings with it. Each step packs as many whole texts as fit, of several
/// callers; a text that is longer than a step is computed alone, in parts.
/// </summary>
internal sealed class EmbeddingWorker
{
    private readonly Func<NativeContext> _makeContext;
    private readonly ModelHandle _model;
    private readonly ILogger _logger;
    private readonly int _sequenceCount;
    private readonly int _stepSize;
    private readonly int _dimension;
    private readonly float[] _rows;
    private readonly List<EmbeddingJob> _jobs = [];
    private readonly List<Part> _step = [];
    private readonly object _gate = new();
    private readonly StepState _state = new();
    private readonly LossWatch _watch;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NativeContext _context;
    private InferenceException? _failure;
    private bool _isStopping;

    public EmbeddingWorker(
        Func<NativeContext> makeContext, NativeContext context, int sequenceCount, int dimension, ModelHandle model, ILogger logger)
    {
        // A context that is lost gives the model back before there is another.
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        _makeContext = makeContext;
        _context = context;
        _logger = logger;
        _sequenceCount = sequenceCount;
        _stepSize = Math.Min(context.BatchSize, context.MicroBatchSize);
        _dimension = dimension;
        _rows = new float[checked(_stepSize * dimension)];
        new Thread(Run) { IsBackground = true, Name = "MoeOffload embedder" }.Start();
        _watch = new LossWatch(model.Servers, _state, _ended.Task, Doom, Abandon);
        _ = _watch.WatchServersAsync();
        _ = _watch.WatchThreadsAsync();
    }

    /// <summary>Completes once the thread has ended and its native memory is given back, or both were given up.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Adds a job.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    public void Submit(EmbeddingJob job)
    {
        lock (_gate)
        {
            if (_failure is { } failure)
            {
                throw new InferenceException(failure.Message, failure);
            }

            ObjectDisposedException.ThrowIf(_isStopping, typeof(Embedder));
            _jobs.Add(job);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>To be called after a job was cancelled: ends the step that is running if nobody else needs it.</summary>
    public void OnCancelled()
    {
        lock (_gate)
        {
            if (_state.IsRunning && _step.TrueForAll(part => part.Job.IsEnded))
            {
                _context.RequestStop();
            }
        }
    }

    /// <summary>Ends all jobs and the thread, without waiting for it.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _isStopping = true;
            if (_state.IsRunning)
            {
                _context.RequestStop();
                _ = _watch.WatchStopAsync();
            }

            Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        using (NativeLog.Enter(_logger))
        {
            bool isOurs = true;
            try
            {
                while (isOurs && WaitForWork())
                {
                    isOurs = Step();
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell a caller, and an unhandled exception would end the process.
                isOurs = _state.End();
                if (isOurs)
                {
                    Fail(new InferenceException($"The embedder failed: {exception.Message}", exception));
                }
            }

            if (!isOurs)
            {
                return;
            }

            FailAll(new ObjectDisposedException(nameof(Embedder)));
            _context.Dispose();
            _model.DangerousRelease();
        }

        _ended.TrySetResult();
    }

    private bool WaitForWork()
    {
        lock (_gate)
        {
            while (!_isStopping)
            {
                _jobs.RemoveAll(job => job.IsEnded);
                if (_jobs.Count > 0)
                {
                    return true;
                }

                Monitor.Wait(_gate);
            }

            return false;
        }
    }

    /// <summary>One round: pack, compute, hand out.</summary>
    /// <returns>False where this thread was given up meanwhile, and must touch nothing any more.</returns>
    private bool Step()
    {
        if (_failure is { } failure)
        {
            FailAll(failure);
            return true;
        }

        Exception? fault = null;
        try
        {
            Pack();
            Compute();
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            fault = exception;
        }

        bool isOurs = _state.End();
        if (isOurs && fault is not null)
        {
            Rebuild(fault);
        }

        return isOurs;
    }

    private void Pack()
    {
        lock (_gate)
        {
            _step.Clear();
            _context.ClearBatch();
            foreach (EmbeddingJob job in _jobs.Where(job => !job.IsEnded))
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
    }

    private bool TryAdd(EmbeddingJob job, EmbeddingText text)
    {
        int left = text.Tokens.Length - text.Position;
        int room = _stepSize - _context.BatchCount;
        bool isFirst = _step.Count == 0;
        if (_step.Count == _sequenceCount || (!isFirst && (left > room || text.Position > 0)))
        {
            return false;
        }

        if (isFirst && text.Position == 0)
        {
            _context.Remove(sequence: -1, fromPosition: 0);
        }

        int count = Math.Min(left, room);
        _step.Add(new Part(job, text, _context.BatchCount, count));
        for (int i = 0; i < count; i++)
        {
            int position = text.Position + i;
            _context.Add(text.Tokens[position], position, _step.Count - 1, wantsLogits: true);
        }

        // A part of a longer text needs what is in the cache for itself.
        return count == text.Tokens.Length;
    }

    private void Compute()
    {
        DecodeResult result = TryBegin() ? _context.Decode() : DecodeResult.Stopped;
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

    private bool TryBegin()
    {
        lock (_gate)
        {
            // A cancel that came before this would find nothing computing; one that comes after asks for the stop itself.
            if (_isStopping || _failure is not null || _step.TrueForAll(part => part.Job.IsEnded))
            {
                return false;
            }

            _context.ClearStop();
            _state.Begin();
            return true;
        }
    }

    private void HandOut(Part part)
    {
        Span<float> rows = _rows.AsSpan(0, part.Count * _dimension);
        _context.CopyEmbeddings(part.First, part.Count, rows);
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

    private void FailAll(Exception failure)
    {
        EmbeddingJob[] jobs;
        lock (_gate)
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

    private void Rebuild(Exception cause)
    {
        FailAll(new InferenceException(cause.Message, cause));
        try
        {
            _context.Dispose();
            NativeContext context = _makeContext();
            lock (_gate)
            {
                _context = context;
            }

            InferenceLog.ContextRebuilt(_logger, cause.Message);
        }
        catch (Exception exception) when (exception is MoeOffloadException or ObjectDisposedException or OutOfMemoryException)
        {
            Fail(new InferenceException($"{cause.Message} The context could not be made again: {exception.Message}", exception));
        }
    }

    // From here on every job fails with this.
    private void Fail(InferenceException failure)
    {
        lock (_gate)
        {
            _failure = failure;
        }

        FailAll(failure);
    }

    // Like Fail, but from another thread: this one's jobs are its own until its step has ended.
    private void Doom(string reason)
    {
        InferenceLog.ContextLost(_logger, reason);
        lock (_gate)
        {
            _failure = new InferenceException(reason);
            Monitor.Pulse(_gate);
        }
    }

    // Gives the thread and its context up where it hangs, and the model with them, which they still refer to.
    private void Abandon()
    {
        if (_state.TryAbandon())
        {
            _isStopping = true;
            _context.Abandon();
            FailAll(_failure!);
            _ended.TrySetResult();
        }
    }

    /// <summary>What one step computes of one text.</summary>
    private readonly record struct Part(EmbeddingJob Job, EmbeddingText Text, int First, int Count);
}
