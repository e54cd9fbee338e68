using System.Text.Json.Nodes;
using MoeOffload.Cli.Reports;

namespace MoeOffload.Cli.Measurement;

/// <summary>What <see cref="SweepBench"/> found.</summary>
/// <param name="samples">Its samples.</param>
internal sealed class SweepReport(SampleSet samples) : IBenchReport
{
    private static readonly string[] s_fields = ["prompt_tokens_per_second", "decode_tokens_per_second", "ttft_ms"];

    public IEnumerable<Figure> Figures => Points().SelectMany(point => s_fields.Append("device_bytes").Select(name => new Figure("median", name, point)));

    public void WriteTo(TextWriter writer)
    {
        var table = new Columns("axis", ">value", "measured by", ">runs", ">prompt t/s", ">decode t/s", ">TTFT ms", ">on device");
        foreach (JsonObject point in Points())
        {
            table.Add(
                [
                    (string)point["axis"]!,
                    Cell.Of((double)point["value"]!),
                    (string)point["source"]!,
                    Cell.Of(samples.Where(point).Count),
                    .. s_fields.Select(field => Cell.Of(new Figure("median", field, point).Compute(samples))),
                    new Figure("median", "device_bytes", point).Compute(samples) is { } bytes ? Size.Of((long)bytes) : "-",
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
