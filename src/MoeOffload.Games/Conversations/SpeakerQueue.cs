namespace MoeOffload.Games.Conversations;

/// <summary>Limits how many characters think and speak at the same time. The next one is that with the greatest priority at that moment.</summary>
/// <param name="capacity">The number of characters.</param>
internal sealed class SpeakerQueue(int capacity)
{
    private readonly Lock _gate = new();
    private readonly List<Ticket> _waiting = [];
    private int _free = capacity;

    /// <summary>Waits until it is the caller's turn. Each call that completes must be followed by <see cref="Leave"/>.</summary>
    /// <param name="priority">Returns the priority, which can change while the caller waits.</param>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public async Task EnterAsync(Func<int> priority, CancellationToken cancellationToken)
    {
        var ticket = new Ticket(priority);
        lock (_gate)
        {
            _waiting.Add(ticket);
            Admit();
        }

        using CancellationTokenRegistration registration = cancellationToken.Register(() => Withdraw(ticket, cancellationToken));
        await ticket.Admission.Task.ConfigureAwait(false);
    }

    /// <summary>Ends the caller's turn.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _free++;
            Admit();
        }
    }

    private void Withdraw(Ticket ticket, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_waiting.Remove(ticket))
            {
                ticket.Admission.TrySetCanceled(cancellationToken);
            }
        }
    }

    private void Admit()
    {
        for (; _free > 0 && _waiting.Count > 0; _free--)
        {
            Ticket next = _waiting[0];
            int highest = next.Priority();
            foreach (Ticket ticket in _waiting)
            {
                // Of those with the same priority, the one that came first is next.
                if (ticket.Priority() is int priority && priority > highest)
                {
                    (next, highest) = (ticket, priority);
                }
            }

            _waiting.Remove(next);
            next.Admission.TrySetResult();
        }
    }

    private sealed class Ticket(Func<int> priority)
    {
        public Func<int> Priority { get; } = priority;

        public TaskCompletionSource Admission { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
