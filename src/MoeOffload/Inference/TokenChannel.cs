using System.Diagnostics;

namespace MoeOffload.Inference;

/// <summary>
/// One generation between its reader and the scheduler. The scheduler's thread keeps this alive, and not the <see cref="TokenStream"/>
/// that the reader holds: so a stream that is dropped can be told from one that is slowly read.
/// </summary>
internal sealed class TokenChannel
{
    private readonly TokenQueue _queue = new();
    private readonly ReaderSignal _signal = new();
    private readonly Scheduler _scheduler;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellationToken;
    private CancellationTokenRegistration _registration;
    private Exception? _failure;
    private GenerationStatistics? _statistics;
    private StopReason? _stopReason;
    private int _state;
    private int _isBeingRead;
    private int _writerWaits;
    private volatile bool _isComplete;
    private volatile bool _isCancelled;
    private volatile bool _isFailureSeen;

    public TokenChannel(Scheduler scheduler, Generation generation, CancellationToken cancellationToken)
    {
        _scheduler = scheduler;
        Generation = generation;
        _cancellationToken = cancellationToken;
    }

    private enum State
    {
        New,
        Running,
        Closed,
    }

    /// <summary>Whether nothing is left to read, a failure included.</summary>
    public bool IsCompleted =>
        _isComplete && (_failure is null ? _queue.IsEmpty : _isFailureSeen || Volatile.Read(ref _state) == (int)State.Closed);

    /// <summary>Why the generation ended, null as long as it has not, and where it was cancelled or failed.</summary>
    public StopReason? StopReason => _isComplete ? _stopReason : null;

    /// <summary>The stop string that ended the generation, where one did.</summary>
    public string? StopString => _isComplete ? Generation.StopString : null;

    /// <summary>What the generation cost; null until it has ended.</summary>
    public GenerationStatistics? Statistics => _isComplete ? _statistics : null;

    /// <summary>Completes once the scheduler is done with it.</summary>
    public Task Ended => _ended.Task;

    /// <summary>What is generated.</summary>
    public Generation Generation { get; }

    /// <summary>When it was first read.</summary>
    public long StartTimestamp { get; private set; }

    /// <summary>When it must have ended, as a timestamp.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Whether its tokens are not wanted any more.</summary>
    public bool IsCancelled => _isCancelled;

    /// <summary>The token that cancelled it, where it is not the one it was made with.</summary>
    public CancellationToken? CancelledBy { get; set; }

    // What was generated ahead of a reader who cancels is not what it waits for.
    private bool IsReadable => !_queue.IsEmpty && !(_isCancelled && !(_isComplete && _failure is null));

    /// <inheritdoc cref="TokenStream.TryRead"/>
    public bool TryRead(out GeneratedToken token)
    {
        if (Interlocked.Exchange(ref _isBeingRead, 1) != 0)
        {
            throw new InvalidOperationException("Two threads are reading this stream at once; a stream has one reader.");
        }

        try
        {
            Start();

            // Read before the queue is: what was written before the end must still be taken.
            bool isComplete = _isComplete;
            if (IsReadable && _queue.TryTake(out token))
            {
                return true;
            }

            if (isComplete)
            {
                ThrowIfFailed();
            }

            token = default;
            return false;
        }
        finally
        {
            Volatile.Write(ref _isBeingRead, 0);
        }
    }

    /// <summary>Waits until <see cref="TryRead"/> is worth another call.</summary>
    public ValueTask<bool> WaitAsync()
    {
        WakeWriter();
        _signal.Arm();
        return (_isComplete || IsReadable) && _signal.TryDisarm() ? new ValueTask<bool>(true) : _signal.Task;
    }

    /// <summary>Ends the generation without waiting for the step that is running.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        _scheduler.OnCancelled();
    }

    /// <summary>Ends the generation, and reading it.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _state, (int)State.Closed) == (int)State.New)
        {
            Generation.Dispose();
            Finish(new ObjectDisposedException(nameof(TokenStream)), null);
        }
        else
        {
            Cancel();
        }
    }

    /// <summary>How many tokens can be written.</summary>
    public int Room => _queue.Room;

    /// <summary>Whether another token can be written; if not, the scheduler is woken once the reader waits, and looks now and then itself.</summary>
    public bool HasRoom()
    {
        if (_queue.Room > 0)
        {
            return true;
        }

        Volatile.Write(ref _writerWaits, 1);
        Interlocked.MemoryBarrier();
        return _queue.Room > 0;
    }

    /// <summary>Hands a token to the reader; there must be room.</summary>
    public void Write(in GeneratedToken token)
    {
        _queue.Add(token);
        _signal.Set();
    }

    /// <summary>Tells the reader that nothing comes any more, and why.</summary>
    public void Finish(Exception? failure, GenerationStatistics? statistics, StopReason? stopReason = null)
    {
        _failure = failure;
        _statistics = statistics;
        _stopReason = stopReason;
        _isComplete = true;
        _registration.Unregister();
        _scheduler.OnFinished(this);
        _ended.TrySetResult();
        _signal.Set();
    }

    /// <summary>The exception of a cancelled stream: with the token that was cancelled, or as disposed.</summary>
    public Exception CancelException() => Volatile.Read(ref _state) == (int)State.Closed
        ? new ObjectDisposedException(nameof(TokenStream), "The stream was disposed while it was being read.")
        : new OperationCanceledException(CancelledBy ?? _cancellationToken);

    private void Start()
    {
        int before = Interlocked.CompareExchange(ref _state, (int)State.Running, (int)State.New);
        ObjectDisposedException.ThrowIf(before == (int)State.Closed, typeof(TokenStream));
        if (before == (int)State.Running)
        {
            return;
        }

        StartTimestamp = Stopwatch.GetTimestamp();
        if (Generation.TimeLimit is { } limit)
        {
            double ticks = limit.TotalSeconds * Stopwatch.Frequency;
            Deadline = ticks < long.MaxValue - StartTimestamp ? StartTimestamp + (long)ticks : long.MaxValue;
        }

        try
        {
            _cancellationToken.ThrowIfCancellationRequested();
            _scheduler.Submit(this);
        }
        catch (Exception exception)
        {
            Generation.Dispose();
            _isFailureSeen = true;
            Finish(exception, null);
            throw;
        }

        _registration = _cancellationToken.UnsafeRegister(static channel => ((TokenChannel)channel!).Cancel(), this);
        if (_isComplete)
        {
            _registration.Unregister();
        }
    }

    // Not where a token is taken: a thread that wakes another may lose its core to it, which a frame has no time for.
    private void WakeWriter()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _writerWaits) != 0
            && _queue.Room >= TokenQueue.Capacity / 2
            && Interlocked.Exchange(ref _writerWaits, 0) != 0)
        {
            _scheduler.Wake();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            // The same failure may be thrown to several calls, each with its own stack.
            _isFailureSeen = true;
            throw failure switch
            {
                OperationCanceledException cancelled => new OperationCanceledException(cancelled.Message, cancelled, cancelled.CancellationToken),
                ObjectDisposedException disposed => new ObjectDisposedException(disposed.ObjectName, disposed.Message),
                ContextFullException full => new ContextFullException(full.Message, full),
                QueueFullException full => new QueueFullException(full.Message, full),
                InvalidOperationException invalid => new InvalidOperationException(invalid.Message, invalid),
                _ => new InferenceException(failure.Message, failure),
            };
        }
    }
}
