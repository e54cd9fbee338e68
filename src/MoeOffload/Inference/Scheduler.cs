using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Owns a native context on a thread of its own: nothing else computes with it. Requests wait in a queue, join and leave between steps;
/// each step computes one batch, which <see cref="BatchPacker"/> fills.
/// </summary>
internal sealed class Scheduler
{
    private readonly Func<NativeContext> _makeContext;
    private readonly ModelHandle _model;
    private readonly ILogger _logger;
    private readonly SchedulerInbox _inbox;
    private readonly List<TokenChannel> _running = [];
    private readonly List<TokenChannel> _batched = [];
    private readonly List<TokenChannel> _dropped = [];
    private readonly ContextParameters _parameters;
    private readonly DraftModel? _draftModel;
    private readonly SessionCounters _counters = new();
    private readonly PrefixCache _cache;
    private readonly BatchPacker _packer;
    private readonly Predicate<Generation> _hasPlace;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StepState _step = new();
    private readonly LossWatch _watch;
    private NativeContext _context;
    private volatile InferenceException? _failure;
    private bool _isComputing;
    private volatile bool _isStopping;

    public Scheduler(Func<NativeContext> makeContext, NativeContext context, ContextParameters parameters, DraftModel? draftModel, ModelHandle model, ILogger logger)
    {
        // A context that is lost gives the model back before there is another.
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        _makeContext = makeContext;
        _context = context;
        _logger = logger;
        _parameters = parameters;
        _draftModel = draftModel;
        _inbox = new SchedulerInbox(parameters.SequenceCount, parameters.QueueLimit);
        _cache = new PrefixCache(parameters.PrefixCache, parameters.SequenceCount, parameters.IsUnified, _counters);
        _packer = new BatchPacker(parameters.PromptTokensPerStep, parameters.Speculation, draftModel);
        _hasPlace = HasPlace;
        var thread = new Thread(Run) { IsBackground = true, Name = "MoeOffload scheduler" };
        thread.Start();
        _watch = new LossWatch([.. model.Servers, .. draftModel?.Servers ?? []], _step, _ended.Task, Doom, Abandon);
        _ = _watch.WatchServersAsync();
        _ = _watch.WatchThreadsAsync();
    }

    /// <summary>Completes once the thread has ended and its native memory is given back, or both were given up.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Adds a request.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="QueueFullException">As many requests run and wait as can.</exception>
    public void Submit(TokenChannel channel) => _inbox.Add(channel);

    /// <summary>Does something with the context between two steps.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    public Task RunAsync(Action<NativeContext, PrefixCache> work)
    {
        var command = new SchedulerCommand(work);
        _inbox.Add(command);
        return command.Done;
    }

    /// <summary>Makes the thread look for work.</summary>
    public void Wake() => _inbox.Wake();

    /// <summary>To be called after a stream was cancelled: ends the step that is running if nobody else needs it.</summary>
    public void OnCancelled()
    {
        lock (_gate)
        {
            if (_isComputing && _batched.TrueForAll(channel => channel.IsCancelled))
            {
                _context.RequestStop();
            }
        }

        Wake();
    }

    /// <summary>To be called once a request is done with.</summary>
    public void OnFinished(TokenChannel channel) => _inbox.Remove(channel);

    /// <summary>What it does, and has done so far.</summary>
    public SessionStatistics ReadStatistics() => _inbox.Read(_counters);

    /// <summary>Ends all streams and the thread, without waiting for it.</summary>
    public void Stop()
    {
        _inbox.Close(new ObjectDisposedException(nameof(GenerationSession)));
        lock (_gate)
        {
            _isStopping = true;
            if (_isComputing)
            {
                _context.RequestStop();
            }

            if (_step.IsRunning)
            {
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
                        _inbox.Wait();
                    }
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell a caller, and an unhandled exception would end the process.
                EndComputing();
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
            _cache.Close();
            _draftModel?.Close();
            _context.Dispose();
            _model.DangerousRelease();
        }

        _ended.TrySetResult();
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
            DropEnded();
            Settle();
            BeginWork();
            if (_context.ApplyAdapters())
            {
                _cache.Distrust(_context);
            }

            RunCommands();
            Admit();
            Pack();
            if (_batched.Count == 0)
            {
                isOurs = _step.End();
                return false;
            }

            Compute();
        }
        catch (Exception exception) when (exception is InferenceException or NativeAbortException)
        {
            fault = exception;
        }

        EndComputing();
        isOurs = _step.End();
        if (isOurs && fault is not null)
        {
            Rebuild(fault);
        }

        return isOurs;
    }

    // Sequences that come and go may move memory between devices, and a draft model computes: both can hang as a computation can.
    private void BeginWork()
    {
        lock (_gate)
        {
            if (!_isStopping && (!_inbox.IsEmpty || (_draftModel is not null && _running.Count > 0)))
            {
                _step.Begin();
            }
        }
    }

    private void RunCommands()
    {
        while (_inbox.TryTakeCommand(out SchedulerCommand? command))
        {
            command.Run(_context, _cache);
        }
    }

    private void DropEnded()
    {
        long now = Stopwatch.GetTimestamp();
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            TokenChannel channel = _running[i];
            if (channel.IsCancelled)
            {
                End(channel, channel.CancelException(), null);
            }
            else if (now >= channel.Deadline && !channel.Generation.HasEnded)
            {
                channel.Generation.End(StopReason.Deadline);
            }
        }

        _inbox.TakeEnded(now, _dropped);
        foreach (TokenChannel channel in _dropped)
        {
            channel.Generation.Dispose();
            channel.Finish(
                channel.IsCancelled ? channel.CancelException() : null,
                channel.Generation.Measure(channel.StartTimestamp),
                channel.IsCancelled ? null : StopReason.Deadline);
        }

        _dropped.Clear();
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
        Generation generation = channel.Generation;
        if (generation.Flush(channel))
        {
            End(channel, generation.EndFailure, generation.EndReason);
        }
    }

    private void Admit()
    {
        while (_inbox.TryTakeRequest(_hasPlace, out TokenChannel? channel))
        {
            Generation generation = channel.Generation;
            _running.Add(channel);
            int capacity = (int)Math.Min((long)generation.Prompt.Length + generation.MaxTokens, _context.SequenceLength) + 1;
            generation.Begin(_cache.Acquire(_context, generation.Prompt, capacity), Stopwatch.GetTimestamp());
        }
    }

    // In a shared cache, a prompt that does not fit beside what runs would end a generation: it waits instead.
    private bool HasPlace(Generation next)
    {
        if (!_cache.HasFree || !_parameters.IsUnified || _running.Count == 0)
        {
            return _cache.HasFree;
        }

        long cells = next.Prompt.Length + 1;
        foreach (TokenChannel channel in _running)
        {
            cells += channel.Generation.Sequence.Tokens.Count + 1;
        }

        return cells <= _context.ContextLength;
    }

    private void Pack()
    {
        lock (_gate)
        {
            _batched.Clear();
            _context.ClearBatch();
        }

        _packer.Pack(_context, _running, _batched);
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
                // All sequences together overfill a unified cache: what is only kept goes first, then the youngest gives way.
                if (!_cache.TryEvict(_context))
                {
                    Youngest().Generation.EndForOthers();
                }

                break;
            default:
                Rewind();
                break;
        }
    }

    private TokenChannel Youngest()
    {
        TokenChannel youngest = _batched[0];
        foreach (TokenChannel channel in _batched)
        {
            if (channel.Generation.BeginTimestamp > youngest.Generation.BeginTimestamp)
            {
                youngest = channel;
            }
        }

        return youngest;
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
            _isComputing = true;
            return true;
        }
    }

    // From here on nobody asks the context to stop: it may be freed.
    private void EndComputing()
    {
        lock (_gate)
        {
            _isComputing = false;
        }
    }

    private void Advance()
    {
        foreach (TokenChannel channel in _batched)
        {
            Generation generation = channel.Generation;
            if (generation.LogitsIndex < 0 || channel.IsCancelled)
            {
                generation.Keep(_context);
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
            SequenceSlot sequence = channel.Generation.Sequence;
            if (!_context.Remove(sequence.Id, sequence.Count))
            {
                _context.Remove(sequence.Id, 0);
                sequence.Count = 0;
            }
        }
    }

    private void End(TokenChannel channel, Exception? failure, StopReason? reason)
    {
        Generation generation = channel.Generation;
        _running.Remove(channel);
        _cache.Release(_context, generation.Sequence);
        generation.Dispose();
        channel.Finish(failure, channel.Generation.Measure(channel.StartTimestamp), reason);
    }

    private void FailAll(Exception failure)
    {
        FailRunning(failure);
        (TokenChannel[] waiting, SchedulerCommand[] commands) = _inbox.TakeAll();
        foreach (SchedulerCommand command in commands)
        {
            command.Fail(failure);
        }

        foreach (TokenChannel channel in waiting)
        {
            channel.Generation.Dispose();
            channel.Finish(failure, channel.Generation.Measure(channel.StartTimestamp));
        }
    }

    private void FailRunning(Exception failure)
    {
        foreach (TokenChannel channel in _running)
        {
            channel.Generation.Dispose();
            channel.Finish(failure, channel.Generation.Measure(channel.StartTimestamp));
        }

        _running.Clear();
    }

    private void Rebuild(Exception cause)
    {
        FailRunning(new InferenceException(cause.Message, cause));
        _cache.Reset();
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
        _inbox.Close(failure);
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
        var failure = new InferenceException(reason);
        _inbox.Close(failure);
        lock (_gate)
        {
            _failure = failure;
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
            _draftModel?.Abandon();
            FailAll(_failure!);
            _ended.TrySetResult();
        }
    }
}
