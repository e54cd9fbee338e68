using System.Diagnostics;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Preparation;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Prepares a request when its channel is first read. It takes its place in the queue immediately, and creates the generation on another
/// thread.
/// </summary>
/// <param name="scheduler">The scheduler that runs the generation.</param>
/// <param name="preparations">The queue that prepares the requests of the session.</param>
/// <param name="factory">The factory that creates the generation.</param>
/// <param name="source">The request.</param>
/// <param name="channel">The channel to the reader.</param>
internal sealed class RequestPreparation(
    Scheduler scheduler, PreparationQueue preparations, GenerationFactory factory, IRequestSource source, TokenChannel channel)
    : IUnstartedProducer, IPreparation, IUnpreparedRequest
{
    private volatile bool _isLong;

    /// <inheritdoc/>
    public bool IsCancelled => channel.IsCancelled;

    /// <inheritdoc/>
    public long Deadline => channel.Deadline;

    /// <inheritdoc/>
    public long ArrivalNumber { get; set; }

    /// <inheritdoc/>
    public bool IsLong => _isLong;

    /// <inheritdoc/>
    public bool IsWanted => channel.IsWanted;

    /// <inheritdoc/>
    public void Start()
    {
        scheduler.Reserve(this);
        preparations.Add(this);
    }

    /// <inheritdoc/>
    public bool IsShort()
    {
        try
        {
            _isLong = source.MeasureLength() > PreparationQueue.ShortLength;
        }
        catch (Exception)
        {
            // A list of the caller cannot be read. The preparation fails for the same reason and reports it to the reader.
            _isLong = true;
        }

        if (_isLong)
        {
            // The scheduler might wait for it.
            scheduler.Wake();
        }

        return !_isLong;
    }

    /// <inheritdoc/>
    public void Run()
    {
        try
        {
            Generation generation = factory.Make(source, channel);
            if (!scheduler.Submit(this, generation))
            {
                generation.Dispose();
            }
        }
        catch (Exception exception)
        {
            // No caller of this method could report the exception to the reader. The scheduler ends canceled requests.
            if (!IsCancelled && scheduler.Withdraw(this))
            {
                channel.Finish(exception, null);
            }
        }
    }

    /// <inheritdoc/>
    public void End()
    {
        bool isCancelled = IsCancelled;
        channel.Finish(isCancelled ? channel.MakeCancelException() : null, Measure(), isCancelled ? null : StopReason.Deadline);
    }

    /// <inheritdoc/>
    public void Fail(Exception failure) => channel.Finish(failure, Measure());

    /// <inheritdoc/>
    public void OnCancelled() => scheduler.OnCancelled();

    /// <inheritdoc/>
    public void OnRoom()
    {
        // Nothing has been written yet.
    }

    private GenerationStatistics Measure() => GenerationStatistics.OfWaiting(Stopwatch.GetElapsedTime(channel.StartTimestamp));
}
