namespace MoeOffload.Cli.Measurement;

/// <summary><c>moe bench memory</c>.</summary>
/// <param name="options">What is measured.</param>
internal sealed class MemoryBench(MemoryOptions options) : IBench
{
    public string Name => "memory";

    public Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken) =>
        throw new NotSupportedException(options.ToString());
}
