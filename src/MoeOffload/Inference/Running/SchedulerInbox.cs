using System.Diagnostics.CodeAnalysis;
using MoeOffload.Inference.Planning;

namespace MoeOffload.Inference.Running;

/// <summary>What other threads hand to the scheduler's, and all requests that have not ended. Safe to use from several threads.</summary>
/// <param name="sequenceCount">How many requests can run at once.</param>
/// <param name="queueLimit">How many requests can wait.</param>
/// <typeparam name="T">A request with what else belongs to it.</typeparam>
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

    /// <summary>Adds a request, whose prompt is ready.</summary>
    /// <exception cref="QueueFullException">As many run and wait as can.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Add(T request)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            ThrowIfFull();
            Open(request, ++_arrivals);
        }
    }

    /// <summary>Gives a request its turn whose prompt is not ready yet.</summary>
    /// <inheritdoc cref="Add(T)" path="/exception"/>
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

    /// <summary>Adds a request that has its turn already.</summary>
    /// <param name="reserved">What has the turn.</param>
    /// <param name="request">The request, whose prompt is ready.</param>
    /// <returns>False if it was ended or withdrawn meanwhile.</returns>
    public bool TryAdd(IUnpreparedRequest reserved, T request)
    {
        lock (_gate)
        {
            if (!_reserved.Remove(reserved))
            {
                return false;
            }

            Open(request, reserved.ArrivalNumber);
            return true;
        }
    }

    /// <summary>Takes the turn of a request back, which the caller then ends.</summary>
    /// <returns>False if somebody else ends it.</returns>
    public bool TryWithdraw(IUnpreparedRequest reserved)
    {
        lock (_gate)
        {
            return _reserved.Remove(reserved);
        }
    }

    /// <summary>Moves the requests whose prompt is not ready and that are cancelled or past their deadline to a list.</summary>
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

    /// <summary>Takes all requests whose prompt is not ready.</summary>
    public IUnpreparedRequest[] TakeReserved()
    {
        lock (_gate)
        {
            IUnpreparedRequest[] all = [.. _reserved];
            _reserved.Clear();
            return all;
        }
    }

    /// <summary>Finds the next deadline of a request whose prompt is not ready, as a timestamp; the largest number if there is none.</summary>
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
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Add(SchedulerCommand command)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            _commands.Enqueue(command);
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

    /// <summary>Moves the requests that have arrived to a list.</summary>
    /// <returns>Whether there are commands.</returns>
    public bool TakeArrived(List<T> arrived)
    {
        lock (_gate)
        {
            arrived.AddRange(_arrived);
            _arrived.Clear();
            return _commands.Count > 0;
        }
    }

    /// <summary>Takes the next command. The one that was taken before is done.</summary>
    public bool TryTakeCommand([NotNullWhen(true)] out SchedulerCommand? command)
    {
        lock (_gate)
        {
            _commands.TryDequeue(out command);
            _runningCommand = command;
            return command is not null;
        }
    }

    /// <summary>Takes all commands, the one that runs included.</summary>
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

    /// <summary>Is told that a request was admitted.</summary>
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

    /// <summary>Copies the requests that have not ended.</summary>
    public T[] CopyOpen()
    {
        lock (_gate)
        {
            return [.. _open];
        }
    }

    /// <summary>Reads the counters, with the present numbers of requests.</summary>
    public SessionStatistics Read(SessionCounters counters)
    {
        lock (_gate)
        {
            return counters.Read(_runningCount, _open.Count + _reserved.Count - _runningCount);
        }
    }

    private void Open(T request, long arrivalNumber)
    {
        request.Request.ArrivalNumber = arrivalNumber;
        _open.Add(request);
        _arrived.Add(request);
    }

    private void ThrowIfFull()
    {
        int count = _open.Count(static open => !open.Request.Output.IsCancelled) + _reserved.Count(static reserved => !reserved.IsCancelled);
        if (count >= sequenceCount + queueLimit)
        {
            throw new QueueFullException(
                $"The session runs {sequenceCount} generation(s) and lets {queueLimit} wait: read or dispose some of them first, or set "
                + "ContextOptions.SequenceCount or QueueLimit higher.");
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed is not null)
        {
            throw Copy(_closed);
        }
    }

    // One reason may be thrown to several callers, each with its own stack.
    private static Exception Copy(Exception reason) => reason is ObjectDisposedException disposed
        ? new ObjectDisposedException(disposed.ObjectName)
        : new InferenceException(reason.Message, reason);
}
