namespace MoeOffload.Benchmarks;

/// <summary>Represents the milliseconds from loading a model to its first token, in each round.</summary>
/// <param name="First">Ours, first in a process.</param>
/// <param name="Warm">Ours, after several loads.</param>
/// <param name="Completion">The times that <c>llama-completion</c> reports.</param>
/// <param name="SharpFirst">LLamaSharp, first in a process; empty if it is not built.</param>
/// <param name="SharpWarm">LLamaSharp, after several loads.</param>
internal sealed record FirstTokenTimes(
    IReadOnlyList<double> First,
    IReadOnlyList<double> Warm,
    IReadOnlyList<double> Completion,
    IReadOnlyList<double> SharpFirst,
    IReadOnlyList<double> SharpWarm)
{
    /// <summary>Converts the times to samples, which lack the name of the model.</summary>
    public IEnumerable<SharedSample> ToSamples() =>
        new[]
        {
            new SharedSample("", 0, SharedSample.Ours, null, SharedSample.FirstLoad, First),
            new SharedSample("", 0, SharedSample.Ours, null, SharedSample.Load, Warm),
            new SharedSample("", 0, "llama-completion", null, SharedSample.Load, Completion),
            new SharedSample("", 0, "LLamaSharp", null, SharedSample.FirstLoad, SharpFirst),
            new SharedSample("", 0, "LLamaSharp", null, SharedSample.Load, SharpWarm),
        }.Where(sample => sample.Rounds.Count > 0);
}
