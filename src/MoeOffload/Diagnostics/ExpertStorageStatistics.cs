using System.Globalization;

namespace MoeOffload.Diagnostics;

/// <summary>
/// Represents what the experts that stay in a model's files took until one point in time, over all sessions of the model, as
/// <see cref="MoeModel.ReadExpertStorage"/> read it.
/// </summary>
public sealed record ExpertStorageStatistics
{
    internal ExpertStorageStatistics(IReadOnlyList<ExpertLayerStatistics> layers) => Layers = layers;

    /// <summary>Gets the maximum memory of these experts, in bytes.</summary>
    public required long LimitBytes { get; init; }

    /// <summary>Gets the memory that they take now, in bytes.</summary>
    public required long ResidentBytes { get; init; }

    /// <summary>Gets the most memory that they have taken, in bytes.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Gets the size of all of them, in bytes.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>Gets the statistics of each layer that has such experts, in ascending order.</summary>
    public IReadOnlyList<ExpertLayerStatistics> Layers { get; }

    /// <summary>Gets the number of uses of experts that were in memory. An expert counts once for each micro-batch that uses it.</summary>
    public long Hits => Layers.Sum(layer => layer.Hits);

    /// <summary>Gets the number of uses of experts that had to be read.</summary>
    public long Misses => Layers.Sum(layer => layer.Misses);

    /// <summary>Gets the number of bytes that were read, including those that were read ahead.</summary>
    public long BytesRead => Layers.Sum(layer => layer.BytesRead);

    /// <summary>Gets the time for which computations waited for experts.</summary>
    public TimeSpan WaitTime => Layers.Aggregate(TimeSpan.Zero, (sum, layer) => sum + layer.WaitTime);

    /// <summary>Returns a summary on one line: hits, misses, bytes, the time waited, and the memory.</summary>
    public override string ToString()
    {
        const double Mebibyte = 1 << 20;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[experts: {Hits} hits, {Misses} misses, {BytesRead / Mebibyte:0.0} MiB read, {WaitTime.TotalSeconds:0.00} s waited; {ResidentBytes / Mebibyte:0.0} of {TotalBytes / Mebibyte:0.0} MiB in memory]");
    }
}
