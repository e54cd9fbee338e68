namespace MoeOffload.Cli.Measurement;

/// <summary><c>moe bench sweep</c>.</summary>
/// <param name="options">What is measured.</param>
internal sealed class SweepBench(SweepOptions options) : IBench
{
    public string Name => "sweep";

    public Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken) =>
        throw new NotSupportedException(options.ToString());
}
