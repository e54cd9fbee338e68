using System.Globalization;

namespace MoeOffload.Placement;

/// <summary>Represents a table of aligned text columns.</summary>
/// <param name="headers">The column headers. A column whose header begins with <c>&gt;</c> is aligned to the right.</param>
internal sealed class TextTable(params string[] headers)
{
    private readonly List<string[]> _rows = [[.. headers.Select(header => header.TrimStart('>'))]];

    public static string Count(int count) => count.ToString(CultureInfo.InvariantCulture);

    public static string Mebibytes(long bytes) => (bytes / (1024.0 * 1024.0)).ToString("F2", CultureInfo.InvariantCulture);

    public void Add(params string[] cells) => _rows.Add(cells);

    public void WriteTo(TextWriter writer)
    {
        var widths = headers.Select((_, column) => _rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in _rows)
        {
            var cells = row.Select((cell, column) =>
                headers[column].StartsWith('>') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            writer.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }
}
