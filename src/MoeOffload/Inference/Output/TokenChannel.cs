using System.Diagnostics;
using System.Runtime.ExceptionServices;
using MoeOffload.Inference.Planning;
using MoeOffload.Telemetry;

namespace MoeOffload.Inference.Output;

/// <summary>
/// Connects the producer of a generation's tokens with its reader. The producer holds a reference to the channel but not to the reader's
/// <see cref="TokenStream"/>, so a stream that was dropped can be told from one that is read slowly.
/// </summary>
/// <remarks>
/// The channel is new, then running from the first read on, and closed when the reader has disposed it. <see cref="Finish"/> ends it once,
/// in any state. If <see cref="HasRoom"/> returns <see langword="false"/>, the writer is woken when the reader has emptied half of the
/// queue. This costs one comparison per token and at most one wake-up per half queue, however seldom a frame loop reads.
/// <para>
/// Waking a reader is a system call on the thread that computes, and the woken thread can take a core from it. So a reader that waits is told
/// of a token immediately only if the next one does not follow soon: tokens of fast models are handed over in groups
/// (<see cref="HandOver(long, long)"/>). The first and the last token never wait, and neither does a reader that looks for itself.
/// </para>
/// </remarks>
internal sealed class TokenChannel : IRequestOutput
{
    // The reader wakes a waiting writer when this number of tokens is left.
    private const int LowWater = TokenQueue.Capacity / 2;

    // Half a frame of a display with 60 Hz: nobody sees it. A token that takes half as long or more is always handed over immediately.
    private static readonly long s_longestDelay = Stopwatch.Frequency / 125;

    private readonly TokenQueue _queue = new();
    private readonly ReaderSignal _signal = new();
    private readonly TimeSpan? _timeLimit;
    private readonly TaskCompletionSource _prepared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellationToken;
    private readonly OperationTelemetry? _telemetry;
    private Activity? _activity;
    private CancellationTokenRegistration _registration;
    private IUnstartedProducer? _unstarted;
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
    private bool _hasNews;
    private long _handOverTimestamp;
    private volatile bool _isComplete;
    private volatile bool _isCancelled;
    private volatile bool _isFailureSeen;

    /// <summary>Creates a channel.</summary>
    /// <param name="timeLimit">The time limit of the generation, measured from the first read, or null for no limit.</param>
    /// <param name="cancellationToken">A token to cancel the generation.</param>
    /// <param name="telemetry">Records the generation when it ends, or null.</param>
    public TokenChannel(TimeSpan? timeLimit, CancellationToken cancellationToken, OperationTelemetry? telemetry = null)
    {
        _telemetry = telemetry;
        _timeLimit = timeLimit;
        _cancellationToken = cancellationToken;
    }

    private enum State
    {
        New,
        Running,
        Closed,
    }

    /// <summary>Gets a value that indicates whether nothing is left to read, including an exception.</summary>
    public bool IsCompleted =>
        _isComplete && (_failure is null ? _queue.IsEmpty : _isFailureSeen || Volatile.Read(ref _state) == (int)State.Closed);

    /// <summary>Gets the reason that the generation ended, or null if it is still running, was canceled or failed.</summary>
    public StopReason? StopReason => _isComplete ? _stopReason : null;

    /// <summary>Gets the stop string that ended the generation, or null.</summary>
    public string? StopString => _isComplete ? _stopString : null;

    /// <summary>Gets the statistics of the generation, or null if it has not ended.</summary>
    public GenerationStatistics? Statistics => _isComplete ? _statistics : null;

    /// <summary>Gets a task that completes when the producer no longer uses the channel.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Gets the timestamp of the first read.</summary>
    public long StartTimestamp { get; private set; }

    /// <summary>Gets the timestamp by which the generation must end.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <inheritdoc/>
    public bool IsCancelled => _isCancelled;

    /// <summary>Gets a value that indicates whether the reader still waits for tokens.</summary>
    public bool IsWanted => !_isCancelled && !_ended.Task.IsCompleted;

    /// <summary>Gets or sets the token that canceled the generation, if it is not the one passed to the constructor.</summary>
    public CancellationToken? CancelledBy { get; set; }

    /// <inheritdoc/>
    public int Room => _queue.Room;

    // After a cancellation, tokens that were generated ahead of the reader are discarded.
    private bool IsReadable => !_queue.IsEmpty && !(_isCancelled && !(_isComplete && _failure is null));

    /// <summary>Gets the number of prompt tokens, or 0 if the prompt is not tokenized yet.</summary>
    public int PromptTokenCount => _request?.Prompt.Length ?? 0;

    /// <summary>Gets the number of prompt tokens that have been computed or were cached.</summary>
    public int ComputedPromptTokenCount => _request?.ComputedPromptCount ?? 0;

    /// <summary>Sets the producer that starts when the channel is first read.</summary>
    public void Connect(IUnstartedProducer producer)
    {
        _unstarted = producer;
        _producer = producer;
    }

    /// <summary>Sets the producer that replaces the first one when the request is prepared.</summary>
    /// <param name="producer">The producer.</param>
    /// <param name="request">The prepared request.</param>
    public void Connect(ITokenProducer producer, SequenceRequest request)
    {
        _request = request;
        _producer = producer;
        _prepared.TrySetResult();
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
            throw new InvalidOperationException("Another thread is reading the stream, which supports only one reader.");
        }

        try
        {
            Start();

            // This is read before the queue, so that tokens written before the end are not missed.
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

    /// <summary>Waits until another call of <see cref="TryRead"/> can succeed.</summary>
    public ValueTask<bool> WaitAsync()
    {
        _signal.Arm();
        return (_isComplete || IsReadable) && _signal.TryDisarm() ? new ValueTask<bool>(true) : _signal.Task;
    }

    /// <summary>Registers another token to cancel the generation.</summary>
    public CancellationTokenRegistration CancelWith(CancellationToken cancellationToken) => cancellationToken.UnsafeRegister(
        static state =>
        {
            var (channel, token) = ((TokenChannel, CancellationToken))state!;
            channel.CancelledBy = token;
            channel.Cancel();
        },
        cancellationToken.CanBeCanceled ? (this, cancellationToken) : null);

    /// <summary>Ends the generation without waiting for the current step.</summary>
    public void Cancel()
    {
        _isCancelled = true;
        _producer?.OnCancelled();
    }

    /// <summary>Ends the generation and closes the channel for reading.</summary>
    public void Close()
    {
        int before = Interlocked.Exchange(ref _state, (int)State.Closed);
        if (before == (int)State.New)
        {
            Finish(new ObjectDisposedException(nameof(TokenStream)), null);
        }
        else if (before == (int)State.Running && !_isComplete)
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

        // The reader takes a token and then reads this flag. The writer sets the flag and then checks the queue, so one of them sees the other.
        Volatile.Write(ref _writerWaits, 1);
        Interlocked.MemoryBarrier();
        if (_queue.Room > 0)
        {
            return true;
        }

        HandOver();
        return false;
    }

    /// <summary>Writes a token, which a waiting reader learns of by the next <see cref="HandOver()"/>. There must be room for it.</summary>
    public void Write(in GeneratedToken token)
    {
        _queue.Add(token);
        _hasNews = true;
    }

    /// <inheritdoc/>
    public void HandOver()
    {
        if (_hasNews)
        {
            _hasNews = false;
            _signal.Set();
        }
    }

    /// <inheritdoc/>
    public void HandOver(long now, long nextStep)
    {
        if (_hasNews && nextStep - _handOverTimestamp > s_longestDelay)
        {
            _handOverTimestamp = now;
            HandOver();
        }
    }

    /// <summary>Ends the channel. Only the first call has an effect, because an abandoned thread might come back.</summary>
    /// <param name="failure">The exception to throw to the reader, or null.</param>
    /// <param name="statistics">The statistics of the generation.</param>
    /// <param name="stopReason">The reason that the generation ended, or null if it failed.</param>
    /// <param name="stopString">The stop string that ended the generation, or null.</param>
    public void Finish(Exception? failure, GenerationStatistics? statistics, StopReason? stopReason = null, string? stopString = null)
    {
        if (Interlocked.Exchange(ref _isFinished, 1) != 0)
        {
            return;
        }

        // Before the reader learns of the end, so that it finds its request in the telemetry. A request that was never read did not start.
        if (StartTimestamp != 0)
        {
            _telemetry?.End(_activity, StartTimestamp, statistics, failure, stopReason);
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

    /// <summary>Throws the exception of a canceled stream if the reader no longer waits for tokens.</summary>
    public void ThrowIfNotWanted()
    {
        if (!IsWanted)
        {
            throw MakeCancelException();
        }
    }

    /// <summary>Creates the exception of a canceled stream, with the token that was canceled, or of a disposed one.</summary>
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
        _activity = _telemetry?.Start();
        if (_timeLimit is { } limit)
        {
            double ticks = limit.TotalSeconds * Stopwatch.Frequency;
            Deadline = ticks < long.MaxValue - StartTimestamp ? StartTimestamp + (long)ticks : long.MaxValue;
        }

        try
        {
            _cancellationToken.ThrowIfCancellationRequested();

            // Register before the producer starts, so that whoever finishes the channel finds the registration and removes it.
            _registration = _cancellationToken.UnsafeRegister(static channel => ((TokenChannel)channel!).Cancel(), this);
            IUnstartedProducer producer = _unstarted!;
            _unstarted = null; // the input is not kept once it is prepared
            producer.Start();
        }
        catch (Exception exception)
        {
            _isFailureSeen = true;
            Finish(exception, null);
            throw;
        }
    }

    // While the writer waits, the queue only gets shorter, so the reader passes this length exactly once. The comparison is cheaper than a
    // fence for each token.
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
