namespace MoeOffload.Cli.Measurement;

/// <summary><c>moe bench quality</c>.</summary>
/// <param name="options">What is measured.</param>
internal sealed class QualityBench(QualityOptions options) : IBench
{
    public string Name => "quality";

    public Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken) =>
        throw new NotSupportedException(options.ToString());
}
