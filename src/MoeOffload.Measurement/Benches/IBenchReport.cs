using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Represents the report of a benchmark's samples.</summary>
internal interface IBenchReport
{
    /// <summary>Gets the statistics of the report.</summary>
    IEnumerable<SampleStatistic> Figures { get; }

    /// <summary>Writes the report as tables.</summary>
    void WriteTo(TextWriter writer);
}
