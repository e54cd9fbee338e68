using System.Diagnostics;
using System.Threading.Tasks.Sources;

namespace MoeOffload;

/// <summary>
/// The tokens of one generation. Nothing runs until it is read: by <c>await foreach</c>, or by <see cref="TryRead"/> from a loop that
/// cannot wait. One reader at a time.
/// </summary>
/// <remarks>
/// Leaving the loop, <see cref="Dispose"/> and the cancellation token all end the generation within one step. A reader that falls far
/// behind pauses its own generation only.
/// </remarks>
public sealed class TokenStream : IAsyncEnumerable<GeneratedToken>, IAsyncDisposable, IDisposable
{
    private const int Capacity = 256;

    private readonly GeneratedToken[] _items = new GeneratedToken[Capacity];
    private readonly Signal _signal = new();
    private readonly GenerationSession _session;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellationToken;
    private CancellationTokenRegistration _registration;
    private Exception? _failure;
    private GenerationStatistics? _statistics;
    private int _state;
    private int _head;
    private int _tail;
    private int _isEnumerated;
    private int _isBeingRead;
    private int _readerWaits;
    private int _writerWaits;
    private volatile bool _isComplete;
    private volatile bool _isCancelled;

    internal TokenStream(GenerationSession session, Generation generation, CancellationToken cancellationToken)
    {
        _session = session;
        Generation = generation;
        _cancellationToken = cancellationToken;
    }

    private enum State
    {
        New,
        Running,
        Closed,
    }

    /// <summary>Whether the last token was read, or the generation ended otherwise. Never blocks.</summary>
    public bool IsCompleted => _isComplete && Volatile.Read(ref _head) == Volatile.Read(ref _tail);

    /// <summary>Why the generation ended: null while it runs, and where it was cancelled or failed.</summary>
    public StopReason? StopReason { get; private set; }

    /// <summary>What the generation cost; null until it has ended.</summary>
    public GenerationStatistics? Statistics => _isComplete ? _statistics : null;

    internal Generation Generation { get; }

    internal long StartTimestamp { get; private set; }

    internal bool IsCancelled => _isCancelled;

    private CancellationToken? CancelledBy { get; set; }

    /// <summary>Takes the next token if there is one. The first call starts the generation. Never blocks.</summary>
    /// <param name="token">The token.</param>
    /// <returns>False where no token is ready now; <see cref="IsCompleted"/> tells whether there will be another.</returns>
    /// <exception cref="OperationCanceledException">The generation was cancelled.</exception>
    /// <exception cref="InferenceException">The generation failed.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its session was disposed.</exception>
    public bool TryRead(out GeneratedToken token)
    {
        if (Interlocked.Exchange(ref _isBeingRead, 1) != 0)
        {
            throw new InvalidOperationException("Two threads are reading this stream at once; a stream has one reader.");
        }

        try
        {
            Start();

            // Read before the ring is: what was written before the end must still be taken.
            bool isComplete = _isComplete;
            bool taken = TryTake(out token);
            if (!taken && isComplete)
            {
                ThrowIfFailed();
            }

            return taken;
        }
        finally
        {
            Volatile.Write(ref _isBeingRead, 0);
        }
    }

    /// <summary>Reads the tokens. A stream can be read once.</summary>
    /// <param name="cancellationToken">Ends the generation, as the token given to <c>GenerateAsync</c> does.</param>
    /// <exception cref="InvalidOperationException">The stream is already being read.</exception>
    public IAsyncEnumerator<GeneratedToken> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _isEnumerated, 1) != 0)
        {
            throw new InvalidOperationException("This stream is already being read; a second reader would get half of the tokens. Generate again.");
        }

        return new Enumerator(this, cancellationToken);
    }

    /// <summary>Ends the generation without waiting for the step that is running.</summary>
    public void Dispose()
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

    /// <summary>Ends the generation, and waits until its place in the session is free again: one step at most.</summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>Whether this many more tokens can be written; if not, the scheduler is woken once there is room.</summary>
    internal bool HasRoom(int count)
    {
        if (Room() >= count)
        {
            return true;
        }

        Volatile.Write(ref _writerWaits, 1);
        Interlocked.MemoryBarrier();
        return Room() >= count;
    }

    internal void Write(in GeneratedToken token)
    {
        _items[_tail & (Capacity - 1)] = token;
        Volatile.Write(ref _tail, _tail + 1);
        Interlocked.MemoryBarrier();
        WakeReader();
    }

    internal void Finish(Exception? failure, GenerationStatistics? statistics, StopReason? stopReason = null)
    {
        _failure = failure;
        _statistics = statistics;
        StopReason = stopReason;
        _isComplete = true;
        Interlocked.MemoryBarrier();
        _registration.Unregister();
        _session.OnFinished(this);
        _ended.TrySetResult();
        WakeReader();
    }

    /// <summary>The exception of a cancelled stream: with the token that was cancelled, or as disposed.</summary>
    internal Exception CancelException() => Volatile.Read(ref _state) == (int)State.Closed
        ? new ObjectDisposedException(nameof(TokenStream), "The stream was disposed while it was being read.")
        : new OperationCanceledException(CancelledBy ?? _cancellationToken);

    private void Start()
    {
        int before = Interlocked.CompareExchange(ref _state, (int)State.Running, (int)State.New);
        ObjectDisposedException.ThrowIf(before == (int)State.Closed, this);
        if (before == (int)State.Running)
        {
            return;
        }

        StartTimestamp = Stopwatch.GetTimestamp();
        try
        {
            _cancellationToken.ThrowIfCancellationRequested();
            _session.Submit(this);
        }
        catch (Exception exception)
        {
            Generation.Dispose();
            Finish(exception, null);
            throw;
        }

        _registration = _cancellationToken.UnsafeRegister(static stream => ((TokenStream)stream!).Cancel(), this);
        if (_isComplete)
        {
            _registration.Unregister();
        }
    }

    private void Cancel()
    {
        _isCancelled = true;
        _session.OnCancelled();
    }

    private bool TryTake(out GeneratedToken token)
    {
        int head = _head;
        if (head == Volatile.Read(ref _tail))
        {
            token = default;
            return false;
        }

        token = _items[head & (Capacity - 1)];
        _items[head & (Capacity - 1)] = default;
        Volatile.Write(ref _head, head + 1);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _writerWaits) != 0 && Room() >= Capacity / 2 && Interlocked.Exchange(ref _writerWaits, 0) != 0)
        {
            _session.Wake();
        }

        return true;
    }

    private int Room() => Capacity - (Volatile.Read(ref _tail) - Volatile.Read(ref _head));

    private void WakeReader()
    {
        if (Volatile.Read(ref _readerWaits) != 0 && Interlocked.Exchange(ref _readerWaits, 0) != 0)
        {
            _signal.Set();
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            // The same failure may be thrown to several calls, each with its own stack.
            throw failure is OperationCanceledException cancelled
                ? new OperationCanceledException(cancelled.Message, cancelled, cancelled.CancellationToken)
                : failure is ObjectDisposedException disposed
                    ? new ObjectDisposedException(disposed.ObjectName, disposed.Message)
                    : new InferenceException(failure.Message, failure);
        }
    }

    private ValueTask<bool> WaitAsync()
    {
        _signal.Reset();
        Volatile.Write(ref _readerWaits, 1);
        Interlocked.MemoryBarrier();
        bool ready = _head != Volatile.Read(ref _tail) || _isComplete;
        if (ready && Interlocked.Exchange(ref _readerWaits, 0) != 0)
        {
            return new ValueTask<bool>(true);
        }

        return _signal.Task;
    }

    /// <summary>A reusable wake-up: one waiter, no allocation for each wait.</summary>
    private sealed class Signal : IValueTaskSource<bool>
    {
        private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

        public ValueTask<bool> Task => new(this, _core.Version);

        public void Reset() => _core.Reset();

        public void Set() => _core.SetResult(true);

        bool IValueTaskSource<bool>.GetResult(short token) => _core.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource<bool>.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }

    private sealed class Enumerator(TokenStream stream, CancellationToken cancellationToken) : IAsyncEnumerator<GeneratedToken>
    {
        private readonly CancellationTokenRegistration _registration = cancellationToken.UnsafeRegister(
            static state =>
            {
                var (stream, token) = ((TokenStream, CancellationToken))state!;
                stream.CancelledBy = token;
                stream.Cancel();
            },
            cancellationToken.CanBeCanceled ? (stream, cancellationToken) : null);

        private GeneratedToken _current;

        public GeneratedToken Current => _current;

        public ValueTask<bool> MoveNextAsync() =>
            stream.TryRead(out _current) ? new ValueTask<bool>(true)
            : stream.IsCompleted ? new ValueTask<bool>(false)
            : ReadNextAsync();

        public async ValueTask DisposeAsync()
        {
            await _registration.DisposeAsync().ConfigureAwait(false);
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        [System.Runtime.CompilerServices.AsyncMethodBuilder(typeof(System.Runtime.CompilerServices.PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<bool> ReadNextAsync()
        {
            while (true)
            {
                await stream.WaitAsync().ConfigureAwait(false);
                if (stream.TryRead(out _current))
                {
                    return true;
                }

                if (stream.IsCompleted)
                {
                    return false;
                }
            }
        }
    }
}
