using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Owns a native context on a thread of its own: nothing else computes with it. A context that is lost is made again, and one that hangs
/// is given up with its thread; the work of all others goes on.
/// </summary>
/// <remarks>
/// Four ways to lose a context: a step throws, and another one is made (<see cref="Rebuild"/>); none can be made, and everything fails from
/// then on (<see cref="Fail"/>); another thread sees that an RPC server is gone, and says so until the step has ended (<see cref="Doom"/>);
/// the step does not end, and the thread is left where it hangs (<see cref="Abandon"/>).
/// </remarks>
internal abstract class ContextThread
{
    private readonly Func<NativeContext> _makeContext;
    private readonly ModelHandle _model;
    private readonly IReadOnlyCollection<string> _servers;
    private readonly string _name;
    private readonly StepState _step = new();
    private readonly LossWatch _watch;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile InferenceException? _failure;
    private volatile bool _isStopping;
    private bool _isComputing;

    /// <summary>Takes a context over.</summary>
    /// <param name="name">What the thread is, as its name and messages have it.</param>
    /// <param name="makeContext">Makes another one where it is lost.</param>
    /// <param name="context">The context.</param>
    /// <param name="model">Its model.</param>
    /// <param name="servers">The RPC servers that the work uses.</param>
    /// <param name="logger">Where llama.cpp's lines go.</param>
    protected ContextThread(
        string name,
        Func<NativeContext> makeContext,
        NativeContext context,
        ModelHandle model,
        IReadOnlyCollection<string> servers,
        ILogger logger)
    {
        // A context that is lost gives the model back before there is another.
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
        _name = name;
        _makeContext = makeContext;
        _servers = servers;
        Context = context;
        Logger = logger;
        _watch = new LossWatch(servers, _step, _ended.Task, Doom, Abandon);
    }

    /// <summary>Completes once the thread has ended and its native memory is given back, or both were given up.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Held while it changes what is computed, or whether.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>The context; the thread's own but for what <see cref="Gate"/> guards.</summary>
    protected NativeContext Context { get; private set; }

    /// <summary>Where llama.cpp's lines go.</summary>
    protected ILogger Logger { get; }

    /// <summary>Why the context was lost for good, or null.</summary>
    protected InferenceException? Failure => _failure;

    /// <summary>Whether it ends.</summary>
    protected bool IsStopping => _isStopping;

    /// <summary>Whether anybody wants what is computed now; asked with <see cref="Gate"/> held.</summary>
    protected abstract bool IsWanted { get; }

    /// <summary>To be called after something was cancelled: ends the computation that is running if nobody else needs it.</summary>
    public void OnCancelled()
    {
        lock (Gate)
        {
            if (_isComputing && !IsWanted)
            {
                Context.RequestStop();
            }
        }

        Wake();
    }

    /// <summary>Ends all work and the thread, without waiting for it.</summary>
    public virtual void Stop()
    {
        lock (Gate)
        {
            _isStopping = true;
            if (_isComputing)
            {
                Context.RequestStop();
            }

            if (_step.IsRunning)
            {
                _ = _watch.WatchStopAsync();
            }
        }

        Wake();
    }

    /// <summary>Makes the thread look for work.</summary>
    public abstract void Wake();

    /// <summary>To be called at the end of the constructor.</summary>
    protected void Start()
    {
        new Thread(Run) { IsBackground = true, Name = $"MoeOffload {_name}" }.Start();
        _ = _watch.WatchServersAsync();
        _ = _watch.WatchThreadsAsync();
    }

    /// <summary>Does what there is to do now.</summary>
    /// <returns>False where there is nothing until something happens.</returns>
    protected abstract bool Step();

    /// <summary>Waits for something to happen.</summary>
    protected abstract void Wait();

    /// <summary>The context was lost, and with it what runs.</summary>
    protected abstract void OnLost(InferenceException failure);

    /// <summary>Takes no work any more; any thread may say so.</summary>
    protected virtual void OnFailed(InferenceException failure)
    {
    }

    /// <summary>Fails all that runs and waits.</summary>
    protected abstract void FailAll(Exception failure);

    /// <summary>Ends: fails all that runs and waits as disposed, and gives back what the context is used with.</summary>
    protected abstract void Close();

    /// <summary>Gives up what the context is used with, since something may still be using it.</summary>
    protected virtual void GiveUp()
    {
    }

    /// <summary>A step begins before it computes: what it does with the context can hang as a computation can.</summary>
    protected void BeginStep()
    {
        lock (Gate)
        {
            if (!_isStopping)
            {
                _step.Begin();
            }
        }
    }

    /// <summary>Computes the batch, unless nobody wants it any more.</summary>
    protected DecodeResult Decode() => TryBegin() ? Context.Decode() : DecodeResult.Stopped;

    private void Run()
    {
        bool isOurs = true;
        using (NativeLog.Enter(Logger))
        {
            try
            {
                while (isOurs && !_isStopping)
                {
                    isOurs = Round();
                }
            }
            catch (Exception exception)
            {
                // Nothing above this frame could tell a caller, and an unhandled exception would end the process.
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

            Close();
            Context.Dispose();
            _model.DangerousRelease();
        }

        _ended.TrySetResult();
    }

    /// <summary>One round: steps, or waits.</summary>
    /// <returns>False where this thread was given up meanwhile, and must touch nothing any more.</returns>
    private bool Round()
    {
        bool isIdle = false;
        Exception? fault = null;
        if (_failure is { } failure)
        {
            FailAll(failure);
            isIdle = true;
        }
        else
        {
            try
            {
                isIdle = !Step();
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
        else if (isIdle && !_isStopping)
        {
            Wait();
        }

        return true;
    }

    private bool TryBegin()
    {
        lock (Gate)
        {
            // A cancel that came before this would find nothing computing; one that comes after asks for the stop itself.
            if (_isStopping || _failure is not null || !IsWanted)
            {
                return false;
            }

            Context.ClearStop();
            _step.Begin();
            _isComputing = true;
            return true;
        }
    }

    // From here on nobody asks the context to stop: it may be freed.
    private bool EndStep()
    {
        lock (Gate)
        {
            _isComputing = false;
        }

        return _step.End();
    }

    private void Rebuild(Exception cause)
    {
        OnLost(new InferenceException(cause.Message, cause));
        try
        {
            Context.Dispose();
            NativeContext context = _makeContext();
            lock (Gate)
            {
                Context = context;
            }

            InferenceLog.ContextRebuilt(Logger, cause.Message);
        }
        catch (Exception exception) when (exception is MoeOffloadException or ObjectDisposedException or OutOfMemoryException)
        {
            Fail(new InferenceException($"{cause.Message} The context could not be made again: {exception.Message}", exception));
        }
    }

    // From here on everything fails with this.
    private void Fail(InferenceException failure)
    {
        OnFailed(failure);
        lock (Gate)
        {
            _failure = failure;
        }

        FailAll(failure);
    }

    // Like Fail, but from another thread: what runs is the thread's own until its step has ended.
    private void Doom(string reason)
    {
        InferenceLog.ContextLost(Logger, reason);
        var failure = new InferenceException(reason);
        OnFailed(failure);
        lock (Gate)
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
            Context.Abandon();
            GiveUp();
            FailAll(_failure!);
            _ended.TrySetResult();
        }
    }
}
