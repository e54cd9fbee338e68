using System.Diagnostics;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Adapts the number of a context's threads to the model and to what else the machine does, between steps.</summary>
internal sealed class AdaptiveThreads
{
    private readonly ThreadGovernor _governor;
    private readonly AvailableCores _cores = new();

    private AdaptiveThreads(int most)
    {
        _governor = new ThreadGovernor(most);
        Current = most;
        _cores.Begin(Stopwatch.GetTimestamp());
    }

    /// <summary>Creates an instance for a context, or returns null if its number of threads is fixed.</summary>
    /// <param name="parameters">The parameters of the context.</param>
    public static AdaptiveThreads? For(ContextParameters parameters) =>
        parameters.AdaptsThreads ? new AdaptiveThreads(parameters.Threads) : null;

    /// <summary>Gets the number of threads that computed the last step.</summary>
    public int Current { get; private set; }

    /// <summary>Computes the batch of a context with the number of threads that is best now.</summary>
    /// <param name="context">The context, which has a batch.</param>
    /// <returns>How the decode ended.</returns>
    public DecodeResult Decode(NativeContext context)
    {
        long start = Stopwatch.GetTimestamp();
        if (_cores.Measure(start) is { } cores)
        {
            _governor.Limit(cores, start);
        }

        int tokens = context.BatchCount;
        int threads = _governor.Choose(tokens);
        context.UseThreads(threads);
        Current = threads;
        start = Stopwatch.GetTimestamp();
        DecodeResult result = context.Decode();
        long end = Stopwatch.GetTimestamp();
        _cores.OnComputed(end - start, threads);
        if (result == DecodeResult.Done)
        {
            _governor.OnStep(tokens, end - start, end);
        }

        return result;
    }
}
