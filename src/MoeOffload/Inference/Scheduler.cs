using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Owns a native context on a thread of its own: nothing else computes with it. Requests join and leave between steps; each step packs
/// one batch, the next token of every running sequence first and then as much of the waiting prompts as fits.
/// </summary>
internal sealed class Scheduler
{
    private static readonly TimeSpan s_roomInterval = TimeSpan.FromMilliseconds(4);

    private readonly Func<NativeContext> _makeContext;
    private readonly ModelHandle _model;
    private readonly ILogger _logger;
    private readonly ConcurrentQueue<TokenChannel> _arrivals = new();
    private readonly List<TokenChannel> _running = [];
    private readonly List<TokenChannel> _batched = [];
    private readonly HashSet<TokenChannel> _open = [];
    private readonly int _sequenceCount;
    private readonly object _wake = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Stack<int> _freeSlots;
    private readonly StepState _step = new();
    private readonly LossWatch _watch;
    private NativeContext _context;
    private volatile InferenceException? _failure;
    private bool _isWoken;
    private volatile bool _isStopping;

    public Scheduler(Func<NativeContext> makeContext, NativeContext context, int sequenceCount, ModelHandle model, ILogger logger)
    {
        // A context that is lost gives the model back before there is another.
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        _makeContext = makeContext;
        _context = context;
        _logger = logger;
        _sequenceCount = sequenceCount;
        _freeSlots = new Stack<int>(Enumerable.Range(0, sequenceCount).Reverse());
        var thread = new Thread(Run) { IsBackground = true, Name = "MoeOffload scheduler" };
        thread.Start();
        _watch = new LossWatch(model.Servers, _step, _ended.Task, Doom, Abandon);
        _ = _watch.WatchServersAsync();
        _ = _watch.WatchThreadsAsync();
    }

    /// <summary>Completes once the thread has ended and its native memory is given back, or both were given up.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Adds a request.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="InvalidOperationException">As many requests as there are sequences are open.</exception>
    public void Submit(TokenChannel channel)
    {
        lock (_gate)
        {
            if (_failure is { } failure)
            {
                throw new InferenceException(failure.Message, failure);
            }

            ObjectDisposedException.ThrowIf(_isStopping, typeof(GenerationSession));

            if (_open.Count(open => !open.IsCancelled) >= _sequenceCount)
            {
                throw new InvalidOperationException(
                    $"The session already runs {_sequenceCount} generation(s). Read or dispose them first, set ContextOptions.SequenceCount higher, "
                    + "or make another session.");
            }

            _open.Add(channel);
            _arrivals.Enqueue(channel);
        }

        Wake();
    }

    /// <summary>Makes the thread look for work.</summary>
    public void Wake()
    {
        lock (_wake)
        {
            _isWoken = true;
            Monitor.Pulse(_wake);
        }
    }

    /// <summary>To be called after a stream was cancelled: ends the step that is running if nobody else needs it.</summary>
    public void OnCancelled()
    {
        lock (_gate)
        {
            if (_step.IsRunning && _batched.TrueForAll(channel => channel.IsCancelled))
            {
                _context.RequestStop();
            }
        }

        Wake();
    }

    /// <summary>To be called once a request is done with.</summary>
    public void OnFinished(TokenChannel channel)
    {
        lock (_gate)
        {
            _open.Remove(channel);
        }
    }

    /// <summary>Ends all streams and the thread, without waiting for it.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _isStopping = true;
            if (_step.IsRunning)
            {
                _context.RequestStop();
                _ = _watch.WatchStopAsync();
            }
        }

        Wake();
    }

    private void Run()
    {
        bool isOurs = true;
        using (NativeLog.Enter(_logger))
        {
            try
            {
                while (isOurs && !_isStopping)
                {
                    if (!Step(out isOurs) && isOurs && !_isStopping)
                    {
                        WaitForWork();
                    }
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell a caller, and an unhandled exception would end the process.
                isOurs = _step.End();
                if (isOurs)
                {
                    Fail(new InferenceException($"The scheduler failed: {exception.Message}", exception));
                }
            }

            if (!isOurs)
            {
                return;
            }

            FailAll(new ObjectDisposedException(nameof(GenerationSession)));
            _context.Dispose();
            _model.DangerousRelease();
        }

        _ended.TrySetResult();
    }

    private void WaitForWork()
    {
        lock (_wake)
        {
            // Readers that take tokens once a frame wake nobody; the room that they made is found here.
            while (!_isWoken && Monitor.Wait(_wake, _running.Count > 0 ? s_roomInterval : Timeout.InfiniteTimeSpan))
            {
            }

            _isWoken = false;
        }
    }

    /// <summary>One round: admit, pack, compute, sample.</summary>
    /// <param name="isOurs">False where this thread was given up meanwhile, and must touch nothing any more.</param>
    /// <returns>False where there is nothing to do until something happens.</returns>
    private bool Step(out bool isOurs)
    {
        isOurs = true;
        if (_failure is { } failure)
        {
            FailAll(failure);
            return false;
        }

        Exception? fault = null;
        try
        {
            // In this order: what ends here makes room for what arrives, and nothing else may wake the thread for it.
            DropCancelled();
            Settle();
            Admit();
            Pack();
            if (_batched.Count == 0)
            {
                return false;
            }

            Compute();
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            fault = exception;
        }

        isOurs = _step.End();
        if (isOurs && fault is not null)
        {
            Rebuild(fault);
        }

        return isOurs;
    }

    private void Admit()
    {
        while (_freeSlots.Count > 0 && _arrivals.TryDequeue(out TokenChannel? channel))
        {
            channel.Generation.Slot = _freeSlots.Pop();
            _running.Add(channel);
        }
    }

    private void DropCancelled()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            if (_running[i].IsCancelled)
            {
                End(_running[i], _running[i].CancelException(), null);
            }
        }
    }

    // Readers that were behind take what was held back for them.
    private void Settle()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            Settle(_running[i]);
        }
    }

    private void Settle(TokenChannel channel)
    {
        if (channel.Generation.Flush(channel))
        {
            End(channel, null, channel.Generation.EndReason);
        }
    }

    private void Pack()
    {
        lock (_gate)
        {
            _batched.Clear();
            _context.ClearBatch();
        }

        foreach (TokenChannel channel in _running)
        {
            Generation generation = channel.Generation;
            if (generation is { IsDecoding: true, EndReason: null } && _context.BatchCount < _context.BatchSize && channel.HasRoom())
            {
                generation.LogitsIndex = _context.BatchCount;
                generation.BatchedCount = 1;
                _context.Add(generation.LastToken, generation.Position, generation.Slot, wantsLogits: true);
                _batched.Add(channel);
            }
        }

        foreach (TokenChannel channel in _running)
        {
            if (channel.Generation is { IsDecoding: false, EndReason: null } && _context.BatchCount < _context.BatchSize)
            {
                PackPrompt(channel);
            }
        }
    }

    private void PackPrompt(TokenChannel channel)
    {
        Generation generation = channel.Generation;
        int count = Math.Min(generation.PromptLength - generation.Position, _context.BatchSize - _context.BatchCount);
        bool isLast = generation.Position + count == generation.PromptLength;
        for (int i = 0; i < count; i++)
        {
            int position = generation.Position + i;
            _context.Add(generation.PromptToken(position), position, generation.Slot, isLast && i == count - 1);
        }

        generation.BatchedCount = count;
        generation.LogitsIndex = isLast ? _context.BatchCount - 1 : -1;
        _batched.Add(channel);
    }

    // Sampling belongs to it: a device may still compute when the decode returns, and the first look at the logits waits for it.
    private void Compute()
    {
        switch (TryBegin() ? _context.Decode() : DecodeResult.Stopped)
        {
            case DecodeResult.Done:
                Advance();
                break;
            case DecodeResult.NoRoom:
                // All sequences together overfill a unified cache: the youngest gives way.
                _batched[^1].Generation.End(StopReason.ContextFull);
                break;
            default:
                Rewind();
                break;
        }
    }

    private bool TryBegin()
    {
        lock (_gate)
        {
            // A cancel that came before this would find nothing computing; one that comes after asks for the stop itself.
            if (_isStopping || _failure is not null || _batched.TrueForAll(channel => channel.IsCancelled))
            {
                return false;
            }

            _context.ClearStop();
            _step.Begin();
            return true;
        }
    }

    private void Advance()
    {
        foreach (TokenChannel channel in _batched)
        {
            Generation generation = channel.Generation;
            generation.Position += generation.BatchedCount;
            if (generation.LogitsIndex < 0 || channel.IsCancelled)
            {
                continue;
            }

            try
            {
                generation.Advance(_context, channel, Stopwatch.GetTimestamp());
                Settle(channel);
            }
            catch (InferenceException exception)
            {
                // A grammar that allows nothing, or logits that are no numbers: this request's own fault.
                End(channel, exception, null);
            }
        }
    }

    // After a stop, the micro-batches that were finished are in the cache: back to where the step began.
    private void Rewind()
    {
        foreach (TokenChannel channel in _batched)
        {
            Generation generation = channel.Generation;
            if (!channel.IsCancelled && !_context.Remove(generation.Slot, generation.Position))
            {
                _context.Remove(generation.Slot, 0);
                generation.Position = 0;
            }
        }
    }

    private void End(TokenChannel channel, Exception? failure, StopReason? reason)
    {
        Generation generation = channel.Generation;
        _context.Remove(generation.Slot, 0);
        _running.Remove(channel);
        _freeSlots.Push(generation.Slot);
        generation.Dispose();
        channel.Finish(failure, Statistics(channel), reason);
    }

    private static GenerationStatistics Statistics(TokenChannel channel)
    {
        Generation generation = channel.Generation;
        return new GenerationStatistics
        {
            PromptTokens = generation.PromptLength,
            GeneratedTokens = generation.GeneratedCount,
            TimeToFirstToken = generation.GeneratedCount > 0
                ? Stopwatch.GetElapsedTime(channel.StartTimestamp, generation.FirstTokenTimestamp)
                : TimeSpan.Zero,
            DecodeTime = generation.GeneratedCount > 0
                ? Stopwatch.GetElapsedTime(generation.FirstTokenTimestamp, generation.LastTokenTimestamp)
                : TimeSpan.Zero,
        };
    }

    private void FailAll(Exception failure)
    {
        foreach (TokenChannel channel in _running)
        {
            channel.Generation.Dispose();
            channel.Finish(failure, Statistics(channel));
        }

        _running.Clear();
        while (_arrivals.TryDequeue(out TokenChannel? waiting))
        {
            waiting.Generation.Dispose();
            waiting.Finish(failure, Statistics(waiting));
        }
    }

    private void Rebuild(Exception cause)
    {
        var failure = new InferenceException(cause.Message, cause);
        foreach (TokenChannel channel in _running)
        {
            _freeSlots.Push(channel.Generation.Slot);
        }

        FailAll(failure);
        try
        {
            NativeContext broken = _context;
            broken.Dispose();
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

    // From here on every request fails with this.
    private void Fail(InferenceException failure)
    {
        lock (_gate)
        {
            _failure = failure;
        }

        FailAll(failure);
    }

    // Like Fail, but from another thread: this one's streams are its own until its step has ended.
    private void Doom(string reason)
    {
        InferenceLog.ContextLost(_logger, reason);
        lock (_gate)
        {
            _failure = new InferenceException(reason);
        }

        Wake();
    }

    // Gives the thread and its context up where it hangs, and the model with them, which they still refer to.
    private void Abandon()
    {
        if (_step.TryAbandon())
        {
            _isStopping = true;
            _context.Abandon();
            FailAll(_failure!);
            _ended.TrySetResult();
        }
    }
}
