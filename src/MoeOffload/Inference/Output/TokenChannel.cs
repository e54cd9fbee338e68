using System.Diagnostics;
using System.Runtime.ExceptionServices;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Output;

/// <summary>
/// One generation between its reader and what produces its tokens. The producer keeps this alive, and not the <see cref="TokenStream"/>
/// that the reader holds: so a stream that is dropped can be told from one that is slowly read.
/// </summary>
/// <remarks>
/// States: new, running from the first reading on, closed once the reader has disposed it. <see cref="Finish"/> ends it, once, in any
/// state. A writer without room registers its interest by <see cref="HasRoom"/>. A reader wakes it only when it has emptied half of the
/// queue: that is one comparison for each token it takes, and at most one wake-up for as many tokens, however seldom a frame loop reads.
/// </remarks>
internal sealed class TokenChannel : IRequestOutput
{
    // The reader wakes a waiting writer when so many tokens are left.
    private const int LowWater = TokenQueue.Capacity / 2;

    private readonly TokenQueue _queue = new();
    private readonly ReaderSignal _signal = new();
    private readonly TimeSpan? _timeLimit;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellationToken;
    private CancellationTokenRegistration _registration;
    private volatile ITokenProducer? _producer;
    private volatile SequenceRequest? _request;
    private ExceptionDispatchInfo? _failure;
    private GenerationStatistics? _statistics;
    private StopReason? _stopReason;
    private string? _stopString;
    private int _state;
    private int _isBeingRead;
    private int _isFinished;
    private int _writerWaits;
    private volatile bool _isComplete;
    private volatile bool _isCancelled;
    private volatile bool _isFailureSeen;

    /// <summary>Makes a channel that nobody has read yet.</summary>
    /// <param name="timeLimit">How long the generation may take, from the first reading on; null for no limit.</param>
    /// <param name="cancellationToken">Cancels the generation.</param>
    public TokenChannel(TimeSpan? timeLimit, CancellationToken cancellationToken)
    {
        _timeLimit = timeLimit;
        _cancellationToken = cancellationToken;
    }

    private enum State
    {
        New,
        Running,
        Closed,
    }

    /// <summary>Gets whether nothing is left to read, a failure included.</summary>
    public bool IsCompleted =>
        _isComplete && (_failure is null ? _queue.IsEmpty : _isFailureSeen || Volatile.Read(ref _state) == (int)State.Closed);

    /// <summary>Gets why the generation ended: null as long as it has not, and if it was cancelled or failed.</summary>
    public StopReason? StopReason => _isComplete ? _stopReason : null;

    /// <summary>Gets the stop string that ended the generation, if one did.</summary>
    public string? StopString => _isComplete ? _stopString : null;

    /// <summary>Gets what the generation cost; null until it has ended.</summary>
    public GenerationStatistics? Statistics => _isComplete ? _statistics : null;

    /// <summary>Gets a task that completes when the producer is done with it.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gets when it was first read.</summary>
    public long StartTimestamp { get; private set; }

    /// <summary>Gets when the generation must have ended, as a timestamp.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <inheritdoc/>
    public bool IsCancelled => _isCancelled;

    /// <summary>Gets or sets the token that cancelled it, if it is not the one that it was made with.</summary>
    public CancellationToken? CancelledBy { get; set; }

    /// <inheritdoc/>
    public int Room => _queue.Room;

    // What was generated ahead of a reader who cancels is not what it waits for.
    private bool IsReadable => !_queue.IsEmpty && !(_isCancelled && !(_isComplete && _failure is null));

    /// <summary>Gets the tokens of the prompt; 0 until they are known.</summary>
    public int PromptTokenCount => _request?.Prompt.Length ?? 0;

    /// <summary>Gets the tokens of the prompt that are computed so far, or were cached.</summary>
    public int ComputedPromptTokenCount => _request?.ComputedPromptCount ?? 0;

    /// <summary>Says what generates its tokens: first before it is read, and again by what prepares a request, once it is ready.</summary>
    /// <param name="producer">What generates them, or prepares to.</param>
    /// <param name="request">The request; null until its prompt is known.</param>
    public void Connect(ITokenProducer producer, SequenceRequest? request = null)
    {
        _request = request;
        _producer = producer;
        if (request is not null)
        {
            _prepared.TrySetResult();
        }
    }

    /// <inheritdoc cref="TokenStream.StartAsync"/>
    public async Task StartAsync()
    {
        Start();
        await _prepared.Task.ConfigureAwait(false);
        if (_isComplete)
        {
            ThrowIfFailed();
        }
    }

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
                WakeWriter();
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
        _signal.Arm();
        return (_isComplete || IsReadable) && _signal.TryDisarm() ? new ValueTask<bool>(true) : _signal.Task;
    }

    /// <summary>Ends the generation once a token is cancelled that it was not made with.</summary>
    public CancellationTokenRegistration CancelWith(CancellationToken cancellationToken) => cancellationToken.UnsafeRegister(
        static state =>
        {
            var (channel, token) = ((TokenChannel, CancellationToken))state!;
            channel.CancelledBy = token;
            channel.Cancel();
        },
        cancellationToken.CanBeCanceled ? (this, cancellationToken) : null);

    /// <summary>Ends the generation without waiting for the step that is running.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        _producer?.OnCancelled();
    }

    /// <summary>Ends the generation, and reading it.</summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _state, (int)State.Closed) == (int)State.New)
        {
            _producer?.Discard();
            Finish(new ObjectDisposedException(nameof(TokenStream)), null);
        }
        else
        {
            Cancel();
        }
    }

    /// <inheritdoc/>
    public bool HasRoom()
    {
        if (_queue.Room > 0)
        {
            return true;
        }

        // The reader takes a token and then looks for this; here it is set and then the queue looked at. One of the two sees the other.
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

    /// <summary>Tells the reader that nothing comes any more, and why. Only the first call counts: a thread that was abandoned may come back.</summary>
    /// <param name="failure">What is thrown to the reader, or null.</param>
    /// <param name="statistics">What the generation cost.</param>
    /// <param name="stopReason">Why it ended, if it did not fail.</param>
    /// <param name="stopString">The stop string that ended it, or null.</param>
    public void Finish(Exception? failure, GenerationStatistics? statistics, StopReason? stopReason = null, string? stopString = null)
    {
        if (Interlocked.Exchange(ref _isFinished, 1) != 0)
        {
            return;
        }

        _failure = failure is null ? null : ExceptionDispatchInfo.Capture(failure);
        _statistics = statistics;
        _stopReason = stopReason;
        _stopString = stopString;
        _isComplete = true;
        _registration.Unregister();
        _prepared.TrySetResult();
        _ended.TrySetResult();
        _signal.Set();
    }

    /// <summary>Makes the exception of a cancelled stream: with the token that was cancelled, or as disposed.</summary>
    public Exception MakeCancelException() => Volatile.Read(ref _state) == (int)State.Closed
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
        if (_timeLimit is { } limit)
        {
            double ticks = limit.TotalSeconds * Stopwatch.Frequency;
            Deadline = ticks < long.MaxValue - StartTimestamp ? StartTimestamp + (long)ticks : long.MaxValue;
        }

        try
        {
            _cancellationToken.ThrowIfCancellationRequested();

            // Before the producer starts: whoever finishes the channel then finds the registration, and takes it back.
            _registration = _cancellationToken.UnsafeRegister(static channel => ((TokenChannel)channel!).Cancel(), this);
            _producer!.Start();
        }
        catch (Exception exception)
        {
            _producer!.Discard();
            _isFailureSeen = true;
            Finish(exception, null);
            throw;
        }
    }

    // While the writer waits the queue only gets shorter, so that the reader passes this length once. A fence for each token would cost
    // more than the comparison.
    private void WakeWriter()
    {
        if (TokenQueue.Capacity - _queue.Room != LowWater)
        {
            return;
        }

        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _writerWaits) != 0 && Interlocked.Exchange(ref _writerWaits, 0) != 0)
        {
            _producer!.OnRoom();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            _isFailureSeen = true;
            failure.Throw();
        }
    }
}
