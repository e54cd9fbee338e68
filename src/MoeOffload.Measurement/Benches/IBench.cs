using MoeOffload.Measurement.Loading;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Measures a model, and logs every sample.</summary>
internal interface IBench
{
    /// <summary>What it is called: the field <c>bench</c> of its samples, and the name of their file.</summary>
    string Name { get; }

    /// <summary>Measures.</summary>
    /// <param name="log">Gets each sample as soon as it is there.</param>
    /// <param name="progress">Told before each step.</param>
    /// <param name="cancellationToken">Ends it; what is loaded is unloaded.</param>
    /// <exception cref="LoadFailedException">The server cannot load the model.</exception>
    /// <exception cref="MoeOffloadException">The model cannot be loaded, or a run failed.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    Task RunAsync(ISampleLog log, IProgress<BenchProgress> progress, CancellationToken cancellationToken);

    /// <summary>Says what its samples mean.</summary>
    IBenchReport Report(SampleSet samples);
}
