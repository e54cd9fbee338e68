using System.Diagnostics;
using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Owns a native context and the only thread that computes with it. If the context is lost, it is created again; if its thread hangs, both
/// are abandoned, and all other work continues.
/// </summary>
/// <remarks>
/// A context can be lost in four ways. If a step throws, another context is created (<see cref="Rebuild"/>). If none can be created,
/// everything fails from then on (<see cref="Fail"/>). If another thread detects that an RPC server is lost, everything fails when the step
/// has ended (<see cref="FailLater"/>). If the step does not end, the thread is abandoned (<see cref="Abandon"/>).
/// </remarks>
internal sealed class ContextRunner
{
    private readonly Func<NativeContext> _makeContext;
    private readonly ModelHandle _model;
    private readonly IReadOnlyCollection<string> _servers;
    private readonly string _name;
    private readonly IContextWork _work;
    private readonly ILogger _logger;
    private readonly StepState _step = new(StepRegistry.Process);
    private readonly LossWatch _watch;
    private readonly ThreadControl _threads;
    private readonly Func<NativeContext, DecodeResult> _decode;
    private readonly WakeSignal _wake = new();
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile InferenceException? _failure;
    private volatile bool _isStopping;
    private bool _isComputing;
    private bool _hasComputed;

    /// <summary>Takes ownership of a context. Call <see cref="Start"/> to start the thread.</summary>
    /// <param name="name">The name of the thread, which is also used in messages.</param>
    /// <param name="work">The work to perform with the context.</param>
    /// <param name="context">The context.</param>
    /// <param name="makeContext">A function that creates another context if the current one is lost.</param>
    /// <param name="model">The model of the context.</param>
    /// <param name="servers">The RPC servers that the work uses.</param>
    /// <param name="logger">The logger for messages of llama.cpp.</param>
    /// <param name="timeouts">The time to wait for RPC servers and devices that might be lost.</param>
    /// <param name="threads">How the threads are used, or null to change nothing.</param>
    public ContextRunner(
        string name,
        IContextWork work,
        NativeContext context,
        Func<NativeContext> makeContext,
        ModelHandle model,
        IReadOnlyCollection<string> servers,
        ILogger logger,
        LossTimeouts? timeouts = null,
        ThreadControl? threads = null)
    {
        // A lost context releases the model before its replacement exists.
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        _name = name;
        _work = work;
        _makeContext = makeContext;
        _servers = servers;
        _logger = logger;
        Context = context;
        _threads = threads ?? ThreadControl.None;
        _decode = context => _threads.Adaptive is { } adaptive ? adaptive.Decode(context) : context.Decode();
        _watch = new LossWatch(_step, timeouts ?? LossTimeouts.Default, StopComputing, FailLater, Abandon);
        _thread = new Thread(Run) { IsBackground = true, Name = $"MoeOffload {name}" };
    }

    /// <summary>Gets a task that completes when the thread has ended and its native memory is released, or when both were abandoned.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gets the context, which belongs to the thread.</summary>
    public NativeContext Context { get; private set; }

    /// <summary>Gets the reason that the context was lost permanently, or null.</summary>
    public InferenceException? Failure => _failure;

    /// <summary>Gets a value that indicates whether the runner is stopping.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Gets the number of times that the thread has waited for work.</summary>
    public long WaitCount => _wake.WaitCount;

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _thread.Start();
        _ = LossSources.WatchServersAsync(_servers, _watch, Ended);
        _ = LossSources.WatchThreadsAsync(_watch, Ended);
    }

    /// <summary>Waits until <see cref="Wake"/> is called. Only the thread itself calls this method.</summary>
    /// <param name="limit">The maximum time to wait.</param>
    public void AwaitWake(TimeSpan limit) => _wake.Wait(limit);

    /// <summary>Wakes the thread to look for work.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Stops the current computation if its results are no longer needed. Call this method after canceling work.</summary>
    public void OnCancelled()
    {
        lock (_gate)
        {
            if (_isComputing && !_work.IsWanted)
            {
                Context.RequestStop();
            }
        }

        Wake();
    }

    /// <summary>Ends all work and the thread, without waiting for it.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _isStopping = true;
            if (_isComputing)
            {
                Context.RequestStop();
            }
        }

        _ = _watch.OnStopAsync(_servers);
        Wake();
    }

    /// <summary>
    /// Gets the task that a disposing caller must await: <see cref="Ended"/>, or a completed task if the caller is the thread itself, which
    /// ends when the callback that disposes has returned.
    /// </summary>
    public Task WhenDisposed() => Thread.CurrentThread == _thread ? Task.CompletedTask : Ended;

    /// <summary>Computes the batch of the context, unless its results are no longer needed.</summary>
    public DecodeResult Decode() => Decode(_decode);

    /// <summary>Computes with the context, unless the results are no longer needed.</summary>
    /// <param name="compute">Computes.</param>
    public DecodeResult Decode(Func<NativeContext, DecodeResult> compute)
    {
        lock (_gate)
        {
            // A cancellation before this point had no computation to stop, so it is handled here. A later one stops the computation itself.
            if (_isStopping || _failure is not null || !_work.IsWanted)
            {
                return DecodeResult.Stopped;
            }

            Context.ClearStop();
            _isComputing = true;
        }

        _hasComputed = true;
        return compute(Context);
    }

    private void Run()
    {
        bool isOurs = true;
        _threads.Placement.ApplyToCurrentThread();
        using (NativeLog.Enter(_logger))
        {
            try
            {
                while (isOurs && !_isStopping)
                {
                    isOurs = RunOnce();
                }
            }
            catch (Exception exception)
            {
                // No caller of this method could report the exception, and an unhandled exception would end the process.
                isOurs = EndStep();
                if (isOurs)
                {
                    Fail(new InferenceException($"The {_name} failed: {exception.Message}", exception));
                }
            }

            if (!isOurs)
            {
                return;
            }

            _work.Close();
            Context.Dispose();
            _model.DangerousRelease();
        }

        _ended.TrySetResult();
    }

    /// <summary>Performs one step, or waits.</summary>
    /// <returns>
    /// <see langword="false"/> if this thread was abandoned and must not access shared state any more; otherwise, <see langword="true"/>.
    /// </returns>
    private bool RunOnce()
    {
        TimeSpan wait = Timeout.InfiniteTimeSpan;
        Exception? fault = null;
        if (_failure is { } failure)
        {
            _work.FailAll(failure);
        }
        else
        {
            try
            {
                wait = TryBeginStep() ? RunStep() : TimeSpan.Zero;
            }
            catch (Exception exception) when (exception is InferenceException or NativeAbortException)
            {
                fault = exception;
            }
        }

        if (!EndStep())
        {
            return false;
        }

        if (fault is not null)
        {
            Rebuild(fault);
        }
        else if (wait != TimeSpan.Zero && !_isStopping)
        {
            if (_threads.Budget is not null)
            {
                // The threads would wait actively for milliseconds, which the budget does not allow.
                Context.PauseThreads();
            }

            _wake.Wait(wait);
        }

        return true;
    }

    private TimeSpan RunStep()
    {
        if (_threads.Budget is not { } budget)
        {
            return _work.Step();
        }

        _hasComputed = false;
        long start = Stopwatch.GetTimestamp();
        TimeSpan wait = _work.Step();
        if (_hasComputed)
        {
            budget.OnStep(start, Stopwatch.GetTimestamp() - start, Context.BatchCount);
        }

        return wait;
    }

    // A stop before this point has no step to monitor, and a later one monitors the step.
    private bool TryBeginStep()
    {
        lock (_gate)
        {
            if (!_isStopping)
            {
                _step.Begin();
            }

            return !_isStopping;
        }
    }

    // After this, no other thread stops the context, so it can be freed.
    private bool EndStep()
    {
        lock (_gate)
        {
            _isComputing = false;
        }

        return _step.End();
    }

    private void Rebuild(Exception cause)
    {
        _work.OnContextLost(new InferenceException(cause.Message, cause));
        try
        {
            Context.Dispose();
            NativeContext context = _makeContext();
            lock (_gate)
            {
                Context = context;
            }

            InferenceLog.ContextRebuilt(_logger, cause.Message);
        }
        catch (Exception exception) when (exception is MoeOffloadException or ObjectDisposedException or OutOfMemoryException)
        {
            Fail(new InferenceException($"{cause.Message} The context could not be created again: {exception.Message}", exception));
        }
    }

    private void StopComputing()
    {
        lock (_gate)
        {
            if (_isComputing)
            {
                Context.RequestStop();
            }
        }
    }

    // All later calls fail with this exception.
    private void Fail(InferenceException failure)
    {
        SetFailure(failure);
        _work.FailAll(failure);
    }

    // Fails from another thread. Running requests belong to the session's thread until its step has ended.
    private void FailLater(string reason)
    {
        InferenceLog.ContextLost(_logger, reason);
        SetFailure(new InferenceException(reason));
        Wake();
    }

    private void SetFailure(InferenceException failure)
    {
        _work.Refuse(failure);
        _failure = failure;
    }

    // Abandons a thread that does not return, with its context and the model, which it still uses.
    private void Abandon(long step, string reason)
    {
        if (!_step.TryAbandon(step))
        {
            return;
        }

        _isStopping = true;
        Context.Abandon();
        if (_failure is null)
        {
            FailLater(reason);
        }

        _work.Abandon(_failure!);
        _ended.TrySetResult();
    }
}
