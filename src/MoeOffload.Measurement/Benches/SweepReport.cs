using System.Text.Json.Nodes;
using MoeOffload.Measurement.Reports;
using MoeOffload.Measurement.Samples;

namespace MoeOffload.Measurement.Benches;

/// <summary>Reports the results of <see cref="SweepBench"/>.</summary>
/// <param name="samples">The samples.</param>
internal sealed class SweepReport(SampleSet samples) : IBenchReport
{
    private static readonly string[] s_fields = ["prompt_tokens_per_second", "decode_tokens_per_second", "ttft_ms"];

    public IEnumerable<SampleStatistic> Figures => Points().SelectMany(point => s_fields.Append("device_bytes").Select(name => new SampleStatistic("median", name, point)));

    public void WriteTo(TextWriter writer)
    {
        var table = new Columns("axis", ">value", "measured by", ">runs", ">prompt t/s", ">decode t/s", ">TTFT ms", ">on device");
        foreach (JsonObject point in Points())
        {
            table.Add(
                [
                    (string)point["axis"]!,
                    NumberText.Of((double)point["value"]!),
                    (string)point["source"]!,
                    NumberText.Of(samples.Where(point).Count),
                    .. s_fields.Select(field => NumberText.Of(new SampleStatistic("median", field, point).Compute(samples))),
                    new SampleStatistic("median", "device_bytes", point).Compute(samples) is { } bytes ? Size.Of((long)bytes) : "-",
                ]);
        }

        writer.WriteLine("Medians.");
        table.WriteTo(writer);
    }

    private IEnumerable<JsonObject> Points() =>
        from axis in samples.By("axis")
        from value in axis.Samples.By("value").OrderBy(one => (double)one.Value!)
        from source in value.Samples.By("source")
        select new JsonObject
        {
            ["axis"] = axis.Value!.DeepClone(),
            ["value"] = value.Value!.DeepClone(),
            ["source"] = source.Value!.DeepClone(),
        };
}
