using Spectre.Console;

namespace MoeOffload.Measurement.Reports;

/// <summary>Represents a table of aligned columns, which is the same on a terminal and in a pipe.</summary>
/// <param name="headers">The headers of the columns. A column whose header starts with <c>&gt;</c> is aligned to the right.</param>
internal sealed class Columns(params string[] headers)
{
    private readonly List<string[]> _rows = [[.. headers.Select(header => header.TrimStart('>'))]];

    public void Add(params string[] cells) => _rows.Add(cells);

    public void WriteTo(TextWriter writer)
    {
        int[] widths = [.. headers.Select((_, column) => _rows.Max(row => row[column].GetCellWidth()))];
        foreach (string[] row in _rows)
        {
            IEnumerable<string> cells = row.Select((cell, column) =>
            {
                string space = new(' ', widths[column] - cell.GetCellWidth());
                return headers[column].StartsWith('>') ? space + cell : cell + space;
            });
            writer.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }
}
