using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Reports the results of <see cref="MemoryBench"/>.</summary>
/// <param name="samples">The samples.</param>
internal sealed class MemoryBenchReport(SampleSet samples) : IBenchReport
{
    private static readonly string[] s_fields = ["placement", "moment", "source", "device", "process", "buffer", "kind"];

    public IEnumerable<SampleStatistic> Figures => Rows().Select(where => new SampleStatistic("max", "bytes", where));

    public void WriteTo(TextWriter writer)
    {
        var table = new Columns("placement", "moment", "counted by", "of", "what", ">size");
        foreach (JsonObject row in Rows())
        {
            table.Add(
                (string)row["placement"]!,
                (string)row["moment"]!,
                (string)row["source"]!,
                (string?)row["process"] ?? $"{(string)row["device"]!}{(row["buffer"] is { } buffer ? $", {(string)buffer!}" : string.Empty)}",
                (string)row["kind"]!,
                Size.Of((long)new SampleStatistic("max", "bytes", row).Compute(samples)!));
        }

        table.WriteTo(writer);
    }

    private IEnumerable<JsonObject> Rows() => samples
        .Where(sample => sample.Numbers("bytes").Single() > 0)
        .Select(sample => new JsonObject(s_fields.Select(field => KeyValuePair.Create(field, sample.Fields[field]?.DeepClone()))))
        .DistinctBy(row => row.ToJsonString());
}
