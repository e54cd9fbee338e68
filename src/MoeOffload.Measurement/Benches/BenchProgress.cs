namespace MoeOffload.Measurement.Benches;

/// <summary>How far a bench is.</summary>
/// <param name="Done">Steps that are done.</param>
/// <param name="Total">All steps.</param>
/// <param name="Step">What is being done, in a few words.</param>
internal readonly record struct BenchProgress(int Done, int Total, string Step);
