namespace MoeOffload.Cli.Measurement;

/// <summary><c>moe bench streaming</c>.</summary>
/// <param name="options">What is measured.</param>
internal sealed class StreamingBench(StreamingOptions options) : IBench
{
    public string Name => "streaming";

    public Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken) =>
        throw new NotSupportedException(options.ToString());
}
