using System.Diagnostics.CodeAnalysis;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>Holds what other threads pass to the scheduler's thread, and all requests that have not ended. Instances are thread-safe.</summary>
/// <typeparam name="T">The type of the requests.</typeparam>
/// <param name="sequenceCount">The maximum number of running requests.</param>
/// <param name="queueLimit">The maximum number of waiting requests.</param>
internal sealed class SchedulerInbox<T>(int sequenceCount, int queueLimit)
    where T : class, IOpenRequest
{
    private readonly Lock _gate = new();
    private readonly List<T> _arrived = [];
    private readonly Queue<SchedulerCommand> _commands = new();
    private readonly HashSet<T> _open = [];
    private readonly List<IUnpreparedRequest> _reserved = [];
    private SchedulerCommand? _runningCommand;
    private Exception? _closed;
    private int _runningCount;
    private long _arrivals;

    /// <summary>Reserves a place in the queue for a request whose prompt is not prepared yet.</summary>
    /// <exception cref="QueueFullException">The queue of the session is full.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Reserve(IUnpreparedRequest request)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            ThrowIfFull();
            request.ArrivalNumber = ++_arrivals;
            _reserved.Add(request);
        }
    }

    /// <summary>Gets a value that indicates whether a request is being prepared whose input is short, or has not been measured yet.</summary>
    public bool IsPreparing
    {
        get
        {
            lock (_gate)
            {
                return _reserved.Exists(static request => !request.IsLong && !request.IsCancelled);
            }
        }
    }

    /// <summary>Adds a prepared request for which a place was reserved.</summary>
    /// <param name="reserved">The reservation.</param>
    /// <param name="request">The prepared request.</param>
    /// <returns><see langword="false"/> if the reservation has ended or was withdrawn.</returns>
    public bool TryAdd(IUnpreparedRequest reserved, T request)
    {
        lock (_gate)
        {
            if (!_reserved.Remove(reserved))
            {
                return false;
            }

            request.Request.ArrivalNumber = reserved.ArrivalNumber;
            _open.Add(request);
            _arrived.Add(request);
            return true;
        }
    }

    /// <summary>Withdraws a reservation, which the caller must then end.</summary>
    /// <returns><see langword="false"/> if the reservation is ended elsewhere.</returns>
    public bool TryWithdraw(IUnpreparedRequest reserved)
    {
        lock (_gate)
        {
            return _reserved.Remove(reserved);
        }
    }

    /// <summary>Moves the reservations that were canceled or whose deadline has passed to a list.</summary>
    public void RemoveEnded(long now, List<IUnpreparedRequest> ended)
    {
        lock (_gate)
        {
            for (int i = _reserved.Count - 1; i >= 0; i--)
            {
                if (_reserved[i].IsCancelled || now >= _reserved[i].Deadline)
                {
                    ended.Add(_reserved[i]);
                    _reserved.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>Removes and returns all reservations.</summary>
    public IUnpreparedRequest[] TakeReserved()
    {
        lock (_gate)
        {
            IUnpreparedRequest[] all = [.. _reserved];
            _reserved.Clear();
            return all;
        }
    }

    /// <summary>Returns the timestamp of the next deadline of a reservation, or <see cref="long.MaxValue"/> if there is none.</summary>
    public long FindNextDeadline()
    {
        lock (_gate)
        {
            long next = long.MaxValue;
            foreach (IUnpreparedRequest request in _reserved)
            {
                next = Math.Min(next, request.Deadline);
            }

            return next;
        }
    }

    /// <summary>Adds a command.</summary>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public void Add(SchedulerCommand command)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            _commands.Enqueue(command);
        }
    }

    /// <summary>Closes the inbox. Only the first reason is kept.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
        }
    }

    /// <summary>Moves the requests that have arrived to a list.</summary>
    /// <returns><see langword="true"/> if there are commands.</returns>
    public bool TakeArrived(List<T> arrived)
    {
        lock (_gate)
        {
            arrived.AddRange(_arrived);
            _arrived.Clear();
            return _commands.Count > 0;
        }
    }

    /// <summary>Takes the next command and marks the previous one as done.</summary>
    public bool TryTakeCommand([NotNullWhen(true)] out SchedulerCommand? command)
    {
        lock (_gate)
        {
            _commands.TryDequeue(out command);
            _runningCommand = command;
            return command is not null;
        }
    }

    /// <summary>Removes and returns all commands, including the one that is running.</summary>
    public List<SchedulerCommand> TakeCommands()
    {
        lock (_gate)
        {
            List<SchedulerCommand> commands = [.. _commands];
            _commands.Clear();
            if (_runningCommand is { } running)
            {
                commands.Add(running);
            }

            return commands;
        }
    }

    /// <summary>Records that a request was admitted.</summary>
    public void OnAdmitted()
    {
        lock (_gate)
        {
            _runningCount++;
        }
    }

    /// <summary>Removes a request that has ended.</summary>
    public void Remove(T request)
    {
        lock (_gate)
        {
            if (_open.Remove(request) && request.Request.HasSequence)
            {
                _runningCount--;
            }

            _arrived.Remove(request);
        }
    }

    /// <summary>Returns a copy of the list of requests that have not ended.</summary>
    public T[] CopyOpen()
    {
        lock (_gate)
        {
            return [.. _open];
        }
    }

    /// <summary>Returns the statistics, with the current numbers of requests.</summary>
    public SessionStatistics Read(SessionCounters counters)
    {
        lock (_gate)
        {
            return counters.Read(_runningCount, _open.Count + _reserved.Count - _runningCount);
        }
    }

    private void ThrowIfFull()
    {
        int count = _open.Count(static open => !open.Request.Output.IsCancelled) + _reserved.Count(static reserved => !reserved.IsCancelled);
        if (count >= sequenceCount + queueLimit)
        {
            throw new QueueFullException(
                $"The session runs {sequenceCount} generation(s) and lets at most {queueLimit} wait. Read or dispose some of them first, or increase "
                + "ContextOptions.SequenceCount or QueueLimit.");
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed is not null)
        {
            throw Copy(_closed);
        }
    }

    // The same failure can be thrown to several callers, each with its own stack trace.
    private static Exception Copy(Exception reason) => reason is ObjectDisposedException disposed
        ? new ObjectDisposedException(disposed.ObjectName)
        : new InferenceException(reason.Message, reason);
}
