using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace MoeOffload.Inference;

/// <summary>What other threads hand to the scheduler's: requests, commands, and the wake-up that tells of them.</summary>
/// <param name="sequenceCount">Requests that can run at once.</param>
/// <param name="queueLimit">Requests that can wait.</param>
internal sealed class SchedulerInbox(int sequenceCount, int queueLimit)
{
    // What the system takes as a time to wait ends far below what a deadline can say.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromDays(1);

    private static readonly TimeSpan s_roomInterval = TimeSpan.FromMilliseconds(4);

    private readonly Lock _gate = new();
    private readonly object _wake = new();
    private readonly RequestQueue _waiting = new();
    private readonly Queue<SchedulerCommand> _commands = new();
    private readonly HashSet<TokenChannel> _open = [];
    private Exception? _closed;
    private bool _isWoken;

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count == 0 && _commands.Count == 0;
            }
        }
    }

    /// <summary>Adds a request.</summary>
    /// <exception cref="QueueFullException">As many run and wait as can.</exception>
    public void Add(TokenChannel channel)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            if (_open.Count(open => !open.IsCancelled) >= sequenceCount + queueLimit)
            {
                throw new QueueFullException(
                    $"The session runs {sequenceCount} generation(s) and lets {queueLimit} wait: read or dispose some of them first, or set "
                    + "ContextOptions.SequenceCount or QueueLimit higher.");
            }

            _open.Add(channel);
            _waiting.Add(channel);
        }

        Wake();
    }

    /// <summary>Adds a command.</summary>
    public void Add(SchedulerCommand command)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            _commands.Enqueue(command);
        }

        Wake();
    }

    /// <summary>A request is done with.</summary>
    public void Remove(TokenChannel channel)
    {
        lock (_gate)
        {
            _open.Remove(channel);
        }
    }

    /// <summary>Takes nothing any more, for the first reason that is given.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
        }
    }

    /// <summary>Takes the request whose turn is next, where there is a place for it.</summary>
    public bool TryTakeRequest(Predicate<Generation> hasPlace, [NotNullWhen(true)] out TokenChannel? channel)
    {
        lock (_gate)
        {
            bool isTaken = _waiting.Peek() is { } next && hasPlace(next.Generation);
            channel = isTaken ? _waiting.Take() : null;
            return isTaken;
        }
    }

    /// <summary>Takes the next command.</summary>
    public bool TryTakeCommand([NotNullWhen(true)] out SchedulerCommand? command)
    {
        lock (_gate)
        {
            return _commands.TryDequeue(out command);
        }
    }

    /// <summary>Takes the requests that are not to wait any longer.</summary>
    public void TakeEnded(long now, List<TokenChannel> ended)
    {
        lock (_gate)
        {
            _waiting.TakeEnded(now, ended);
        }
    }

    /// <summary>Takes everything.</summary>
    public (TokenChannel[] Requests, SchedulerCommand[] Commands) TakeAll()
    {
        lock (_gate)
        {
            SchedulerCommand[] commands = [.. _commands];
            _commands.Clear();
            return (_waiting.TakeAll(), commands);
        }
    }

    /// <summary>The counters with the numbers of requests.</summary>
    public SessionStatistics Read(SessionCounters counters)
    {
        lock (_gate)
        {
            return counters.Read(_open.Count - _waiting.Count, _waiting.Count);
        }
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

    /// <summary>Waits for a wake-up, or until the next deadline of a request, or until readers may have made room.</summary>
    public void Wait()
    {
        TimeSpan patience = Patience();
        lock (_wake)
        {
            while (!_isWoken && Monitor.Wait(_wake, patience))
            {
            }

            _isWoken = false;
        }
    }

    // Readers that take tokens once a frame wake nobody; the room that they made is found by looking.
    private TimeSpan Patience()
    {
        long next = long.MaxValue;
        lock (_gate)
        {
            if (_open.Count > _waiting.Count)
            {
                next = Stopwatch.GetTimestamp() + (long)(s_roomInterval.TotalSeconds * Stopwatch.Frequency);
            }

            foreach (TokenChannel channel in _open)
            {
                next = channel.Generation.HasEnded ? next : Math.Min(next, channel.Deadline);
            }
        }

        if (next == long.MaxValue)
        {
            return Timeout.InfiniteTimeSpan;
        }

        double seconds = (next - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency;
        return TimeSpan.FromSeconds(Math.Clamp(seconds, 0, s_longestWait.TotalSeconds)) + TimeSpan.FromMilliseconds(1);
    }

    private void ThrowIfClosed()
    {
        if (_closed is InferenceException failure)
        {
            throw new InferenceException(failure.Message, failure);
        }

        ObjectDisposedException.ThrowIf(_closed is not null, typeof(GenerationSession));
    }
}
