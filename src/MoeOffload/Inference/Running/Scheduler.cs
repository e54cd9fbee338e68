using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Planning;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Runs the requests of a session: it plans each step, computes it on the context's thread, samples tokens and passes them to the readers.
/// A session that runs one generation at a time uses the same code with one sequence.
/// </summary>
internal sealed class Scheduler : IContextWork
{
    // Requests that arrive together are prepared within this time.
    private static readonly TimeSpan s_longestPreparation = TimeSpan.FromMilliseconds(2);

    private readonly ContextRunner _runner;
    private readonly StepPlanner _planner;
    private readonly CacheExecutor _executor;
    private readonly SchedulerInbox<Generation> _inbox;
    private readonly SessionCounters _counters = new();
    private readonly DraftLimits? _drafts;
    private readonly IDrafter? _drafter;
    private readonly ThreadControl _threads;
    private readonly ReaderUpdates _updates;
    private readonly Action<SequenceRequest> _onAdmitted;

    // Only the session's thread uses these: the waiting and running generations, by the requests that the planner knows.
    private readonly Dictionary<SequenceRequest, Generation> _generations = [];
    private readonly List<Generation> _arrived = [];
    private readonly List<SequenceRequest> _ended = [];
    private readonly List<IUnpreparedRequest> _endedUnprepared = [];
    private StepPlan _plan = new();
    private bool _isPreparationSlow;

    /// <summary>Takes ownership of a context and starts the thread.</summary>
    /// <param name="makeContext">A function that creates another context if the current one is lost.</param>
    /// <param name="context">The context.</param>
    /// <param name="parameters">The parameters of the context.</param>
    /// <param name="drafts">The limits of speculative decoding, or null to disable it.</param>
    /// <param name="drafter">The drafter, or null to use the lookup.</param>
    /// <param name="model">The model of the context.</param>
    /// <param name="logger">The logger for messages of llama.cpp.</param>
    /// <param name="timeouts">The time to wait for RPC servers and devices that might be lost.</param>
    public Scheduler(
        Func<NativeContext> makeContext,
        NativeContext context,
        ContextParameters parameters,
        DraftLimits? drafts,
        IDrafter? drafter,
        ModelHandle model,
        ILogger logger,
        LossTimeouts? timeouts = null)
    {
        _drafter = drafter;
        _drafts = drafts;
        _inbox = new SchedulerInbox<Generation>(parameters.SequenceCount, parameters.QueueLimit);
        _planner = new StepPlanner(
            Describe(context, parameters), parameters.PromptTokensPerStep, drafter is null ? drafts : null, _counters);
        _updates = new ReaderUpdates(_planner.Running);
        _threads = ThreadControl.For(parameters);
        _counters.OnThreads(parameters.Threads);
        _onAdmitted = _ => _inbox.OnAdmitted();
        _runner = new ContextRunner(
            "scheduler",
            this,
            Connect(drafter, context),
            () => Connect(drafter, makeContext()),
            model,
            [.. model.Servers, .. drafter?.Servers ?? []],
            logger,
            timeouts,
            _threads);
        _executor = new CacheExecutor(_runner, _planner.Cache);
        _runner.Start();
    }

    /// <summary>Gets a task that completes when the thread has ended and its native memory is released, or when both were abandoned.</summary>
    public Task Ended => _runner.Ended;

    /// <inheritdoc cref="ContextRunner.Failure"/>
    public InferenceException? Failure => _runner.Failure;

    /// <summary>Gets the number of times that the thread has waited for work.</summary>
    public long WaitCount => _runner.WaitCount;

    /// <inheritdoc/>
    public bool IsWanted => _plan.IsWanted;

    /// <summary>Creates the draft pace of a generation, or returns null if no tokens are drafted.</summary>
    public DraftPace? MakePace(bool isWanted) => isWanted && _drafts is not null ? new DraftPace(_drafts) : null;

    /// <summary>Gets a value that indicates whether prompts can have images.</summary>
    public bool SupportsImages => _drafter?.SupportsImages ?? true;

    /// <summary>Gets a value that indicates whether tokens can be drafted for prompts with images.</summary>
    public bool DraftsAfterImages => _drafter is null;

    /// <summary>Reserves a place in the queue for a request whose channel is being read and whose prompt is not prepared yet.</summary>
    /// <exception cref="QueueFullException">The queue of the session is full.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Reserve(IUnpreparedRequest request)
    {
        _inbox.Reserve(request);

        // The deadline of this request could be the next event.
        _runner.Wake();
    }

    /// <summary>Submits a prepared request for which a place was reserved.</summary>
    /// <returns><see langword="false"/> if the request has already ended, in which case the caller still owns the generation.</returns>
    public bool Submit(IUnpreparedRequest reserved, Generation generation)
    {
        generation.Request.Deadline = generation.Channel.Deadline;
        if (!_inbox.TryAdd(reserved, generation))
        {
            return false;
        }

        _runner.Wake();
        return true;
    }

    /// <summary>Withdraws a reserved request whose prompt could not be prepared.</summary>
    /// <returns><see langword="false"/> if the request has already ended; otherwise, the caller must end it.</returns>
    public bool Withdraw(IUnpreparedRequest reserved) => _inbox.TryWithdraw(reserved);

    /// <summary>Performs an action with the context between two steps.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public Task RunAsync(Action<CacheExecutor> work)
    {
        var command = new SchedulerCommand(work);
        _inbox.Add(command);
        _runner.Wake();
        return command.Done;
    }

    /// <summary>Notifies the scheduler that a request was canceled.</summary>
    public void OnCancelled() => _runner.OnCancelled();

    /// <summary>Wakes the thread to look for work.</summary>
    public void Wake() => _runner.Wake();

    /// <summary>Returns the statistics of the session.</summary>
    public SessionStatistics ReadStatistics() => _inbox.Read(_counters);

    /// <summary>Ends all generations and the thread, without waiting for it.</summary>
    public void Stop()
    {
        _inbox.Close(MakeDisposed());
        _runner.Stop();
    }

    /// <inheritdoc cref="ContextRunner.WhenDisposed"/>
    public Task WhenDisposed() => _runner.WhenDisposed();

    /// <inheritdoc/>
    public TimeSpan Step()
    {
        AwaitPreparations();

        // The order matters: requests that end here make room for new ones, and nothing else would wake the thread for those.
        bool hasCommands = _inbox.TakeArrived(_arrived);
        long now = Stopwatch.GetTimestamp();
        Enqueue();
        EndCancelled(now);
        FlushReaders();
        if (_executor.Context.ApplyAdapters())
        {
            _executor.Run(_planner.Cache.Invalidate());
        }

        if (hasCommands)
        {
            _updates.SendAll();
            RunCommands();
        }

        if (_planner.CanAdmit)
        {
            _updates.SendAll();
            _executor.Run(_planner.Admit(now, _onAdmitted));
        }

        TimeSpan pause = FindPause(now);
        if (pause > TimeSpan.Zero)
        {
            _updates.SendAll();
            return FindWait(now, pause);
        }

        IReadOnlyList<SequenceRequest> decoding = _planner.SelectDecoding();
        _drafter?.Draft(decoding);
        _plan = _planner.Pack(_threads.Budget?.CountPromptTokens(now) ?? int.MaxValue);
        _updates.OnStepBegins(_plan.Count);
        if (_plan.IsEmpty)
        {
            // A request whose image cannot be encoded ends at the beginning of the next step.
            return _planner.HasFailed ? TimeSpan.Zero : FindWait(now);
        }

        Compute();
        return TimeSpan.Zero;
    }

    /// <inheritdoc/>
    public void OnContextLost(InferenceException failure)
    {
        foreach (SequenceRequest request in _planner.Running)
        {
            Finish(request, Copy(failure), reason: null);
        }

        _planner.Reset();
    }

    /// <inheritdoc/>
    public void Refuse(Exception reason) => _inbox.Close(reason);

    /// <inheritdoc/>
    public void FailAll(Exception failure)
    {
        foreach (SchedulerCommand command in _inbox.TakeCommands())
        {
            command.Fail(Copy(failure));
        }

        FailUnprepared(failure);
        foreach (Generation generation in _inbox.CopyOpen())
        {
            Finish(generation, Copy(failure), reason: null);
        }

        _planner.Reset();
        _planner.ClearQueue();
        _generations.Clear();
    }

    /// <inheritdoc/>
    public void Abandon(Exception failure)
    {
        _drafter?.Abandon();
        foreach (SchedulerCommand command in _inbox.TakeCommands())
        {
            command.Fail(Copy(failure));
        }

        FailUnprepared(failure);

        // Samplers are not freed, because the native call could still use one.
        foreach (Generation generation in _inbox.CopyOpen())
        {
            _inbox.Remove(generation);
            generation.Finish(Copy(failure), reason: null);
        }
    }

    /// <inheritdoc/>
    public void Close()
    {
        FailAll(MakeDisposed());
        _planner.Cache.Close();
        _drafter?.Close();
    }

    private static NativeContext Connect(IDrafter? drafter, NativeContext context)
    {
        drafter?.Begin(context);
        return context;
    }

    private static CacheShape Describe(NativeContext context, ContextParameters parameters) => new()
    {
        SequenceCount = parameters.SequenceCount,
        CellCount = context.ContextLength,
        SequenceLength = context.SequenceLength,
        BatchSize = context.BatchSize,
        IsUnified = parameters.IsUnified,
        CanTrim = context.CanForgetParts,
        WindowLength = context.WindowLength,
        KeepsPrefixes = parameters.PrefixCache.Enabled,
        HostBytes = parameters.PrefixCache.HostBytes,
    };

    private static ObjectDisposedException MakeDisposed() => new("GenerationSession");

    // The same failure can be thrown to several readers, each with its own stack trace.
    private static Exception Copy(Exception failure) =>
        failure is ObjectDisposedException ? MakeDisposed() : new InferenceException(failure.Message, failure);

    // If the computation uses all cores, requests that have just arrived would be prepared only at the end of a time slice, and would miss
    // several steps. One preparation that takes long delays no more than one step.
    private void AwaitPreparations()
    {
        if (_planner.Running.Count == 0)
        {
            return;
        }

        long start = Stopwatch.GetTimestamp();
        while (_inbox.IsPreparing)
        {
            TimeSpan left = s_longestPreparation - Stopwatch.GetElapsedTime(start);
            _isPreparationSlow |= left <= TimeSpan.Zero;
            if (_isPreparationSlow)
            {
                return;
            }

            _updates.SendAll();
            _runner.AwaitWake(left);
        }

        _isPreparationSlow = false;
    }

    private void Enqueue()
    {
        foreach (Generation generation in _arrived)
        {
            _generations.Add(generation.Request, generation);
            _planner.Add(generation.Request);
        }

        _arrived.Clear();
    }

    private void EndCancelled(long now)
    {
        _planner.RemoveEnded(now, _ended);
        foreach (SequenceRequest request in _ended)
        {
            // A request that was running when the context was lost has already been completed.
            if (_generations.TryGetValue(request, out Generation? generation))
            {
                bool isCancelled = request.Output.IsCancelled;
                End(request, isCancelled ? generation.Channel.MakeCancelException() : null, isCancelled ? null : StopReason.Deadline);
            }
        }

        _ended.Clear();
        _inbox.RemoveEnded(now, _endedUnprepared);
        _endedUnprepared.ForEach(static request => request.End());
        _endedUnprepared.Clear();
    }

    private void FailUnprepared(Exception failure)
    {
        foreach (IUnpreparedRequest request in _inbox.TakeReserved())
        {
            request.Fail(Copy(failure));
        }
    }

    // Delivers the text that was held back because a reader was slow.
    private void FlushReaders()
    {
        for (int i = _planner.Running.Count - 1; i >= 0; i--)
        {
            EndIfFlushed(_planner.Running[i]);
        }
    }

    private void EndIfFlushed(SequenceRequest request)
    {
        if (_generations[request].Flush())
        {
            End(request, request.EndFailure, request.EndReason);
        }
    }

    private void RunCommands()
    {
        while (_inbox.TryTakeCommand(out SchedulerCommand? command))
        {
            command.Run(_executor);
        }
    }

    // Requests that arrive, are canceled or are past their deadline end the wait.
    private TimeSpan FindPause(long now) =>
        _planner.Running.Count > 0 && _threads.Budget is { } budget ? budget.FindPause(now) : TimeSpan.Zero;

    private TimeSpan FindWait(long now, TimeSpan pause)
    {
        TimeSpan wait = FindWait(now);
        return wait == Timeout.InfiniteTimeSpan || pause < wait ? pause : wait;
    }

    private TimeSpan FindWait(long now)
    {
        long deadline = Math.Min(_planner.FindNextDeadline(), _inbox.FindNextDeadline());
        return deadline == long.MaxValue ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromSeconds(Math.Max(0, deadline - now) / (double)Stopwatch.Frequency);
    }

    // Includes sampling, because a device can still compute when the decode call returns, and the first access to the logits waits for it.
    private void Compute()
    {
        NativeContext context = _executor.Context;
        context.ClearBatch();
        foreach (BatchEntry entry in _plan.Entries)
        {
            context.Add(entry.Token, entry.Position, entry.Sequence, entry.WantsLogits);
        }

        DecodeResult decoded = _plan.Image is null ? _runner.Decode() : DecodeImage(_plan.Image);
        StepResult result = decoded switch
        {
            DecodeResult.Done => StepResult.Computed,
            DecodeResult.NoRoom => StepResult.NoRoom,
            _ => StepResult.Stopped,
        };
        if (_threads.Adaptive is { } adaptive)
        {
            _counters.OnThreads(adaptive.Current);
        }

        _executor.Run(_planner.Complete(result));
        if (result == StepResult.Computed)
        {
            Advance();
        }
        else
        {
            _updates.SendAll();
        }
    }

    private DecodeResult DecodeImage(ImageStep step) => _runner.Decode(context => ((ImageEncoding)step.Image.Input!).Decode(context, step));

    private void Advance()
    {
        int running = _planner.Running.Count;
        bool isFirst = false;
        foreach (SequenceRequest request in _plan.Requests)
        {
            if (request.LogitsIndex < 0 || request.Output.IsCancelled)
            {
                CompleteDraft(request, accepted: 0);
                continue;
            }

            if (TrySample(request, out InferenceException? failure))
            {
                isFirst |= request.GeneratedCount == 1;
                EndIfFlushed(request);
            }
            else
            {
                End(request, failure, reason: null);
            }
        }

        _updates.OnStepEnded();
        if (isFirst || _planner.Running.Count < running)
        {
            // If the computation uses all cores, a reader would wait until the end of a time slice. Yielding lets it read a first token, or
            // the end of a stream, after which it often sends the next request.
            Thread.Yield();
        }
    }

    // Samples the next token, and continues as long as the sampled tokens match the draft.
    private bool TrySample(SequenceRequest request, out InferenceException? failure)
    {
        Generation generation = _generations[request];
        int accepted = 0;
        failure = null;
        try
        {
            while (request.TryAcceptDraft(accepted, generation.Sample(_executor, request.LogitsIndex + accepted)))
            {
                accepted++;
            }
        }
        catch (InferenceException exception)
        {
            // The grammar does not allow any token, or the logits are not numbers. Only this request fails.
            failure = exception;
        }

        CompleteDraft(request, accepted);
        return failure is null;
    }

    // The KV cache still holds the rejected draft tokens after the last accepted one.
    private void CompleteDraft(SequenceRequest request, int accepted)
    {
        if (request.Draft.Count > 0)
        {
            _executor.Trim(request.Sequence.Id, request.Sequence.PositionOf(request.Sequence.Count));
        }

        request.CompleteDraft(accepted);
    }

    private void End(SequenceRequest request, Exception? failure, StopReason? reason)
    {
        try
        {
            _executor.Run(_planner.Release(request));
        }
        finally
        {
            // Even if the context is lost here, the reader gets its result.
            Finish(request, failure, reason);
        }
    }

    private void Finish(SequenceRequest request, Exception? failure, StopReason? reason)
    {
        if (_generations.Remove(request, out Generation? generation))
        {
            Finish(generation, failure, reason);
        }
    }

    private void Finish(Generation generation, Exception? failure, StopReason? reason)
    {
        generation.Dispose();
        _inbox.Remove(generation);
        generation.Finish(failure, reason);
    }
}
