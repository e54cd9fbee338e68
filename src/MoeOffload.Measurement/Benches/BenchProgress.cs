namespace MoeOffload.Measurement.Benches;

/// <summary>Represents the progress of a benchmark.</summary>
/// <param name="Done">The number of completed steps.</param>
/// <param name="Total">The number of all steps.</param>
/// <param name="Step">A short description of the current step.</param>
internal readonly record struct BenchProgress(int Done, int Total, string Step);
