using System.Text;

namespace MoeOffload.Documentation.Tests.Reference;

/// <summary>The pages of the reference that are created from the program.</summary>
internal static class ReferencePages
{
    /// <summary>Gets the pages, by their paths relative to the repository, with what creates them.</summary>
    public static IReadOnlyDictionary<string, Func<string>> All { get; } = new Dictionary<string, Func<string>>
    {
        ["docs/reference/options.md"] = CommandReference.DescribeOptions,
        ["docs/reference/configuration.md"] = CommandReference.DescribeConfiguration,
        ["docs/reference/metrics.md"] = MetricReference.Describe,
        ["docs/reference/endpoints.md"] = EndpointReference.Describe,
    };

    /// <summary>Begins a page.</summary>
    public static StringBuilder Begin(string title, string introduction) => new StringBuilder()
        .Append("<!-- Created by ./build.sh reference. Do not edit. -->\n\n# ").Append(title).Append("\n\n").Append(introduction).Append("\n\n");

    /// <summary>Appends a table with a header row.</summary>
    public static StringBuilder AppendTable(this StringBuilder page, string[] header, IEnumerable<string[]> rows)
    {
        page.Append("| ").AppendJoin(" | ", header).Append(" |\n|").Append(string.Concat(header.Select(_ => " --- |"))).Append('\n');
        foreach (string[] row in rows)
        {
            page.Append("| ").AppendJoin(" | ", row.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
        }

        return page;
    }

    /// <summary>Formats a word as code, or returns nothing if there is none.</summary>
    public static string Code(string? word) => string.IsNullOrEmpty(word) ? string.Empty : $"`{word}`";
}
