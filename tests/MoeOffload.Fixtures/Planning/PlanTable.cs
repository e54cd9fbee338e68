using System.Globalization;

namespace MoeOffload.Fixtures;

/// <summary>Writes the tables of <c>docs/planning.md</c> that show how far plans are from the truth.</summary>
public static class PlanTable
{
    private const double Mebibyte = 1 << 20;
    private const string Begin = "<!-- written by ./build.sh bench plan -->\n";
    private const string End = "<!-- end -->\n";

    private static readonly string[] s_kinds = ["weights", "KV cache", "compute"];

    /// <summary>Gets the page.</summary>
    public static string Page { get; } = Path.Combine(NativeBuild.Repository, "docs", "planning.md");

    /// <summary>Gets the tables in the page.</summary>
    public static string Read()
    {
        (string _, string tables, string _) = Split();
        return tables;
    }

    /// <summary>Replaces the tables in the page.</summary>
    public static void Write(string tables)
    {
        (string before, string _, string after) = Split();
        File.WriteAllText(Page, before + tables + after);
    }

    /// <summary>Writes the tables from samples.</summary>
    public static string Make(IReadOnlyList<PlanSample> allocator, IReadOnlyList<SystemSample> system) => $"{Allocator(allocator)}\n{System(system)}";

    private static string Allocator(IReadOnlyList<PlanSample> samples)
    {
        var rows = from sample in samples
                   from use in sample.Memory
                   from kind in Enumerable.Range(0, s_kinds.Length)
                   group (sample, use, kind) by (sample.Case.Devices, use.Memory, kind);
        IEnumerable<string> lines = rows.OrderBy(row => row.Key.Devices).ThenBy(row => row.Key.Memory, StringComparer.Ordinal).ThenBy(row => row.Key.kind).Select(row =>
        {
            (long Planned, long Taken)[] values = [.. row.Select(one => (one.use.Planned[one.kind], one.use.Taken[one.kind]))];
            (long planned, long taken) = values.MaxBy(value => Math.Abs(value.Planned - value.Taken));
            return Row(
                Devices(row.Key.Devices),
                row.Key.Memory,
                s_kinds[row.Key.kind],
                Number(values.Length),
                Number(values.Count(value => value.Planned == value.Taken)),
                Number(values.Count(value => value.Planned < value.Taken)),
                Difference(planned, taken));
        });
        return Row("Devices", "Memory", "Kind", "Sizes", "Exact", "Too small", "Largest difference")
            + Row([.. Enumerable.Repeat("---", 7)]) + string.Concat(lines);
    }

    private static string System(IReadOnlyList<SystemSample> samples)
    {
        IEnumerable<string> lines = samples.Select(sample => Row(
            sample.Case,
            $"`{sample.Process}`",
            Size(sample.Planned),
            Size(sample.Taken),
            Difference(sample.Planned, sample.Taken),
            IsClose(sample) ? "yes" : "no"));
        return Row("Case", "Process", "Planned", "Grew by", "Difference", "Within 2 % or 8 MiB") + Row([.. Enumerable.Repeat("---", 6)]) + string.Concat(lines);
    }

    /// <summary>Determines whether a plan is within 2 % or 8 MiB of what the process takes.</summary>
    public static bool IsClose(SystemSample sample) => Math.Abs(sample.Planned - sample.Taken) <= Math.Max(8 << 20, sample.Taken / 50);

    private static string Devices(int count) => count switch { 0 => "CPU", 1 => "one RPC server", _ => $"{count} RPC servers" };

    private static string Difference(long planned, long taken) => planned == taken
        ? "0"
        : string.Create(CultureInfo.InvariantCulture, $"{(planned - taken) / Mebibyte:+0.00;-0.00} MiB ({100.0 * (planned - taken) / Math.Max(1, taken):+0.0;-0.0} %)");

    private static string Size(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / Mebibyte:0.0} MiB");

    private static string Number(int count) => count.ToString(CultureInfo.InvariantCulture);

    private static string Row(params IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";

    private static (string Before, string Tables, string After) Split()
    {
        string page = File.ReadAllText(Page).ReplaceLineEndings("\n");
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        int end = page.IndexOf(End, begin, StringComparison.Ordinal);
        return (page[..begin], page[begin..end], page[end..]);
    }
}
