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
    private SchedulerCommand? _runningCommand;
    private Exception? _closed;
    private int _runningCount;

    /// <summary>Adds a request, whose prompt is ready.</summary>
    /// <exception cref="QueueFullException">As many run and wait as can.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public void Add(T request)
    {
        lock (_gate)
        {
            ThrowIfClosed();
            if (_open.Count(static open => !open.Request.Output.IsCancelled) >= sequenceCount + queueLimit)
            {
                throw new QueueFullException(
                    $"The session runs {sequenceCount} generation(s) and lets {queueLimit} wait: read or dispose some of them first, or set "
                    + "ContextOptions.SequenceCount or QueueLimit higher.");
            }

            _open.Add(request);
            _arrived.Add(request);
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
            return counters.Read(_runningCount, _open.Count - _runningCount);
        }
    }

    private void ThrowIfClosed()
    {
        if (_closed is InferenceException failure)
        {
            throw new InferenceException(failure.Message, failure);
        }

        if (_closed is not null)
        {
            throw new ObjectDisposedException(nameof(GenerationSession));
        }
    }
}
