namespace MoeOffload.Inference.Preparation;

/// <summary>
/// Prepares the inputs of a session's requests on background threads: short ones one after another in the order of their arrival, and long
/// ones in parallel to them, so that no request waits for the long input of another one.
/// </summary>
/// <remarks>
/// At most one thread-pool thread and <see cref="LongLimit"/> dedicated threads work at the same time. The queue does not need to be
/// closed.
/// </remarks>
internal sealed class PreparationQueue
{
    /// <summary>The maximum length of a short input, in characters. Its preparation takes a few milliseconds.</summary>
    public const int ShortLength = 4096;

    /// <summary>The maximum number of long inputs that are prepared at the same time.</summary>
    public const int LongLimit = 2;

    private readonly Lock _gate = new();
    private readonly Queue<IPreparation> _arrived = new();
    private readonly Queue<IPreparation> _long = new();
    private bool _isSorting;
    private int _longThreads;

    /// <summary>Adds a preparation. The method does not wait for it.</summary>
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
