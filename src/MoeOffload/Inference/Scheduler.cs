using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Speculation;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Generates: requests wait in a queue, join and leave between steps; each step computes one batch, which <see cref="BatchPacker"/>
/// fills.
/// </summary>
internal sealed class Scheduler : ContextThread
{
    private readonly SchedulerInbox _inbox;
    private readonly List<TokenChannel> _running = [];
    private readonly List<TokenChannel> _batched = [];
    private readonly List<TokenChannel> _dropped = [];
    private readonly ContextParameters _parameters;
    private readonly IDrafter? _drafter;
    private readonly SessionCounters _counters = new();
    private readonly PrefixCache _cache;
    private readonly BatchPacker _packer;
    private readonly Predicate<Generation> _hasPlace;

    public Scheduler(Func<NativeContext> makeContext, NativeContext context, ContextParameters parameters, IDrafter? drafter, ModelHandle model, ILogger logger)
        : base("scheduler", () => Begin(drafter, makeContext()), Begin(drafter, context), model, [.. model.Servers, .. drafter?.Servers ?? []], logger)
    {
        _parameters = parameters;
        _drafter = drafter;
        _inbox = new SchedulerInbox(parameters.SequenceCount, parameters.QueueLimit);
        _cache = new PrefixCache(parameters.PrefixCache, parameters.SequenceCount, parameters.IsUnified, _counters);
        _packer = new BatchPacker(parameters.PromptTokensPerStep, parameters.Speculation, drafter);
        _hasPlace = HasPlace;
        Start();
    }

    /// <inheritdoc/>
    protected override bool IsWanted => !_batched.TrueForAll(static channel => channel.IsCancelled);

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

    /// <summary>To be called once a request is done with.</summary>
    public void OnFinished(TokenChannel channel) => _inbox.Remove(channel);

    /// <summary>What it does, and has done so far.</summary>
    public SessionStatistics ReadStatistics() => _inbox.Read(_counters);

    /// <inheritdoc/>
    public override void Stop()
    {
        _inbox.Close(new ObjectDisposedException(nameof(GenerationSession)));
        base.Stop();
    }

    /// <inheritdoc/>
    public override void Wake() => _inbox.Wake();

    /// <inheritdoc/>
    protected override bool Step()
    {
        // In this order: what ends here makes room for what arrives, and nothing else may wake the thread for it.
        DropEnded();
        Settle();
        if (!_inbox.IsEmpty || (_drafter is not null && _running.Count > 0))
        {
            // Sequences that come and go may move memory between devices, and a drafter computes.
            BeginStep();
        }

        if (Context.ApplyAdapters())
        {
            _cache.Distrust(Context);
        }

        RunCommands();
        Admit();
        Pack();
        if (_batched.Count == 0)
        {
            return false;
        }

        Compute();
        return true;
    }

    /// <inheritdoc/>
    protected override void Wait() => _inbox.Wait();

    /// <inheritdoc/>
    protected override void OnLost(InferenceException failure)
    {
        FailRunning(failure);
        _cache.Reset();
    }

    /// <inheritdoc/>
    protected override void OnFailed(InferenceException failure) => _inbox.Close(failure);

    /// <inheritdoc/>
    protected override void FailAll(Exception failure)
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

    /// <inheritdoc/>
    protected override void Close()
    {
        FailAll(new ObjectDisposedException(nameof(GenerationSession)));
        _cache.Close();
        _drafter?.Close();
    }

    /// <inheritdoc/>
    protected override void GiveUp() => _drafter?.Abandon();

    private static NativeContext Begin(IDrafter? drafter, NativeContext context)
    {
        drafter?.Begin(context);
        return context;
    }

    private void RunCommands()
    {
        while (_inbox.TryTakeCommand(out SchedulerCommand? command))
        {
            command.Run(Context, _cache);
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
            int capacity = (int)Math.Min((long)generation.Prompt.Length + generation.MaxTokens, Context.SequenceLength) + 1;
            generation.Begin(_cache.Acquire(Context, generation.Prompt, capacity), Stopwatch.GetTimestamp());
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

        return cells <= Context.ContextLength;
    }

    private void Pack()
    {
        lock (Gate)
        {
            _batched.Clear();
            Context.ClearBatch();
        }

        _packer.Pack(Context, _running, _batched);
    }

    // Sampling belongs to it: a device may still compute when the decode returns, and the first look at the logits waits for it.
    private void Compute()
    {
        switch (Decode())
        {
            case DecodeResult.Done:
                Advance();
                break;
            case DecodeResult.NoRoom:
                // All sequences together overfill a unified cache: what is only kept goes first, then the youngest gives way.
                if (!_cache.TryEvict(Context))
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

    private void Advance()
    {
        int running = _running.Count;
        bool isFirst = false;
        foreach (TokenChannel channel in _batched)
        {
            Generation generation = channel.Generation;
            if (generation.LogitsIndex < 0 || channel.IsCancelled)
            {
                generation.Keep(Context);
                continue;
            }

            try
            {
                generation.Advance(Context, channel);
                isFirst |= generation.GeneratedCount == 1;
                Settle(channel);
            }
            catch (InferenceException exception)
            {
                // A grammar that allows nothing, or logits that are no numbers: this request's own fault.
                End(channel, exception, null);
            }
        }

        if (isFirst || _running.Count < running)
        {
            // Where computation has all cores and the next step begins at once, readers wait for the end of a time slice: here they get one
            // for a first token, and for an end, after which the next request often comes.
            Thread.Yield();
        }
    }

    // After a stop, the micro-batches that were finished are in the cache: back to where the step began. A recurrent state is in none
    // that is known.
    private void Rewind()
    {
        foreach (TokenChannel channel in _batched)
        {
            SequenceSlot sequence = channel.Generation.Sequence;
            if (!Context.CanForgetParts || !Context.Remove(sequence.Id, sequence.Count))
            {
                Context.Remove(sequence.Id, 0);
                sequence.Count = 0;
            }
        }
    }

    private void End(TokenChannel channel, Exception? failure, StopReason? reason)
    {
        Generation generation = channel.Generation;
        _running.Remove(channel);
        _cache.Release(Context, generation.Sequence);
        generation.Dispose();
        channel.Finish(failure, channel.Generation.Measure(channel.StartTimestamp), reason);
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
}
