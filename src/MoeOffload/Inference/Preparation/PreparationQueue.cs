namespace MoeOffload.Inference.Preparation;

/// <summary>
/// Prepares the inputs of a session's requests on other threads than their callers': short ones one after the other, in the order in which
/// they come, and long ones beside them, so that nobody waits for the long input of somebody else.
/// </summary>
/// <remarks>At most one thread of the pool and <see cref="LongLimit"/> threads of its own work at the same time. Nothing must be closed.</remarks>
internal sealed class PreparationQueue
{
    /// <summary>The characters up to which an input counts as short: some milliseconds of work.</summary>
    public const int ShortLength = 4096;

    /// <summary>The most long inputs that are prepared at the same time.</summary>
    public const int LongLimit = 2;

    private readonly Lock _gate = new();
    private readonly Queue<IPreparation> _arrived = new();
    private readonly Queue<IPreparation> _long = new();
    private bool _isSorting;
    private int _longThreads;

    /// <summary>Adds a preparation. Returns at once.</summary>
    public void Add(IPreparation preparation)
    {
        lock (_gate)
        {
            _arrived.Enqueue(preparation);
            if (_isSorting)
            {
                return;
            }

            _isSorting = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.RunArrived(), this, preferLocal: false);
    }

    private void RunArrived()
    {
        while (TakeArrived() is { } preparation)
        {
            if (!preparation.IsWanted)
            {
                continue;
            }

            if (preparation.IsShort())
            {
                preparation.Run();
            }
            else
            {
                AddLong(preparation);
            }
        }
    }

    private void AddLong(IPreparation preparation)
    {
        lock (_gate)
        {
            _long.Enqueue(preparation);
            if (_longThreads == LongLimit)
            {
                return;
            }

            _longThreads++;
        }

        new Thread(RunLong) { IsBackground = true, Name = "MoeOffload preparation" }.Start();
    }

    private void RunLong()
    {
        while (TakeLong() is { } preparation)
        {
            if (preparation.IsWanted)
            {
                preparation.Run();
            }
        }
    }

    private IPreparation? TakeArrived()
    {
        lock (_gate)
        {
            _isSorting = _arrived.TryDequeue(out IPreparation? next);
            return next;
        }
    }

    private IPreparation? TakeLong()
    {
        lock (_gate)
        {
            if (_long.TryDequeue(out IPreparation? next))
            {
                return next;
            }

            _longThreads--;
            return null;
        }
    }
}
