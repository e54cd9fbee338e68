using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Represents a benchmark, which measures a model and logs every sample.</summary>
internal interface IBench
{
    /// <summary>Gets the name of the benchmark, which is also the field <c>bench</c> of its samples and the name of their file.</summary>
    string Name { get; }

    /// <summary>Runs the benchmark.</summary>
    /// <param name="log">Receives each sample as soon as it is measured.</param>
    /// <param name="progress">Receives the progress before each step.</param>
    /// <param name="cancellationToken">Cancels the benchmark and unloads the model.</param>
    /// <exception cref="LoadFailedException">The server cannot load the model.</exception>
    /// <exception cref="MoeOffloadException">The model cannot be loaded, or a run failed.</exception>
    /// <exception cref="OperationCanceledException">The benchmark was canceled.</exception>
    Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken);

    /// <summary>Creates the report of samples.</summary>
    IBenchReport Report(SampleSet samples);
}
