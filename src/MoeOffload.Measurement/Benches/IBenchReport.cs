using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>What is said of a bench's samples.</summary>
internal interface IBenchReport
{
    /// <summary>Each statistic that is worth a look.</summary>
    IEnumerable<SampleStatistic> Figures { get; }

    /// <summary>Writes tables for people to read.</summary>
    void WriteTo(TextWriter writer);
}
