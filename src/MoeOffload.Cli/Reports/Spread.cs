using System.Text.Json.Nodes;

namespace MoeOffload.Cli.Reports;

/// <summary>What several runs gave.</summary>
internal sealed record Spread(double Median, double Least, double Most)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }

    public JsonObject ToJson() => new() { ["median"] = Median, ["min"] = Least, ["max"] = Most };
}
