namespace MoeOffload.Diagnostics;

/// <summary>Represents what the experts of one layer took that stay in a model's files.</summary>
/// <param name="Layer">The zero-based number of the layer.</param>
/// <param name="Hits">The number of uses of experts that were in memory. An expert counts once for each micro-batch that uses it.</param>
/// <param name="Misses">The number of uses of experts that had to be read.</param>
/// <param name="BytesRead">The number of bytes that were read, including those that were read ahead.</param>
/// <param name="WaitTime">The time for which computations waited for experts.</param>
public sealed record ExpertLayerStatistics(int Layer, long Hits, long Misses, long BytesRead, TimeSpan WaitTime);
