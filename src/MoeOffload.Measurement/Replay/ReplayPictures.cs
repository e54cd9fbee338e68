using System.Globalization;
using MoeOffload.Diagnostics;
using MoeOffload.Measurement.Evidence.Plots;
using MoeOffload.Shared;

namespace MoeOffload.Measurement.Replay;

/// <summary>Draws the pictures of a replay.</summary>
internal static class ReplayPictures
{
    private const double Mebibyte = 1 << 20;
    private const int ReusePoints = 20;

    /// <summary>Writes <c>heat.svg</c>, <c>hit-rate.svg</c> and, if experts are used again, <c>reuse-distance.svg</c> into a directory, which is created.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(string directory, ExpertTrace trace, ReplayReport report)
    {
        Directory.CreateDirectory(directory);
        string subtitle = string.Create(
            CultureInfo.InvariantCulture,
            $"{(trace.Model.Name.Length > 0 ? trace.Model.Name : trace.Model.Architecture)}, {trace.TokenCount} tokens");
        AtomicFile.WriteAllText(Path.Combine(directory, "heat.svg"), Heat(trace, subtitle).Draw());
        AtomicFile.WriteAllText(Path.Combine(directory, "hit-rate.svg"), HitRate(report, subtitle).Draw());
        if (report.Reuse.ReuseCount > 0)
        {
            AtomicFile.WriteAllText(Path.Combine(directory, "reuse-distance.svg"), ReuseDistance(report, subtitle).Draw());
        }
    }

    private static HeatPlot Heat(ExpertTrace trace, string subtitle)
    {
        ExpertActivity activity = trace.CountActivity();
        return new HeatPlot
        {
            Title = "How often each expert was chosen",
            Subtitle = subtitle,
            Unit = "% of the choices of a layer",
            ColumnName = string.Create(CultureInfo.InvariantCulture, $"experts 0 to {activity.ExpertCount - 1} of each layer"),
            Rows = [.. activity.Layers.Select(layer => (
                layer.ToString(CultureInfo.InvariantCulture),
                (IReadOnlyList<double>)[.. Enumerable.Range(0, activity.ExpertCount).Select(expert => activity.GetShare(layer, expert) * 100)]))],
        };
    }

    private static LinePlot HitRate(ReplayReport report, string subtitle)
    {
        Curve Of(string label, ExpertCachePolicy policy, bool isDashed = false) => new(
            label,
            [.. report.Results.Where(result => result.Policy == policy).Select(result => Point(result.BudgetBytes, result.All.HitRate))],
            isDashed);

        return new LinePlot
        {
            Title = "Hit rate of caches of experts",
            Subtitle = subtitle,
            Unit = "% of all uses of experts",
            Setting = "size of the cache in MiB",
            Curves =
            [
                Of("LRU", ExpertCachePolicy.LeastRecentlyUsed), Of("least stale", ExpertCachePolicy.LeastStale),
                Of("Belady", ExpertCachePolicy.Belady, isDashed: true), Of("whole layers", ExpertCachePolicy.WholeLayers, isDashed: true),
            ],
        };
    }

    private static LinePlot ReuseDistance(ReplayReport report, string subtitle) => new()
    {
        Title = "Reuse distance of experts",
        Subtitle = subtitle,
        Unit = "% of the reuses within the distance",
        Setting = "size of the different experts between two uses in MiB",
        Curves = [new Curve("reuses", [.. Enumerable.Range(1, ReusePoints)
            .Select(i => i / (double)ReusePoints)
            .Select(share => report.Reuse.GetQuantile(share)!.Value)
            .Distinct()
            .Select(distance => Point(distance, report.Reuse.CountWithin(distance) / (double)report.Reuse.ReuseCount))])],
    };

    private static CurvePoint Point(long bytes, double share) => new(bytes / Mebibyte, share * 100, share * 100, share * 100);
}
