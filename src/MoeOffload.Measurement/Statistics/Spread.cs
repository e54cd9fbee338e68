using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Statistics;

/// <summary>Represents the median and the range of repeated measurements.</summary>
internal sealed record Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return new Spread(Statistic.Median(all), all.Min(), all.Max());
    }

    public JsonObject ToJson() => new() { ["median"] = Median, ["min"] = Least, ["max"] = Most };
}
