using System.Globalization;
using System.Text;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Reporting;
using MoeOffload.Shared;

namespace MoeOffload.Measurement.Evidence.Templates;

/// <summary>
/// Replaces placeholders in a Markdown text with evidence. A placeholder is <c>{{FOLDER:NAME|FORMAT}}</c>, where the folder and the format
/// are optional. docs/evidence.md describes the syntax.
/// </summary>
/// <param name="folders">The folders, by the names that the text uses.</param>
internal sealed class Template(IReadOnlyDictionary<string, EvidenceNames> folders)
{
    private const int MostNearNames = 3;
    private const string Start = "{{";
    private const string End = "}}";

    /// <summary>Replaces the placeholders of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="wayTo">A function that returns the relative path from the resulting text to a folder, with a slash at the end.</param>
    /// <exception cref="FormatException">A placeholder is not valid. The message names the line and similar names.</exception>
    public string Fill(string text, Func<EvidenceNames, string> wayTo)
    {
        var result = new StringBuilder();
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            try
            {
                result.Append(FillLine(lines[i], wayTo)).Append(i < lines.Length - 1 ? "\n" : string.Empty);
            }
            catch (FormatException error)
            {
                throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"line {i + 1}: {error.Message}"), error);
            }
        }

        return result.ToString();
    }

    private string FillLine(string line, Func<EvidenceNames, string> wayTo)
    {
        var result = new StringBuilder();
        int done = 0;
        for (int start = line.IndexOf(Start, StringComparison.Ordinal); start >= 0; start = line.IndexOf(Start, done, StringComparison.Ordinal))
        {
            int end = line.IndexOf(End, start, StringComparison.Ordinal);
            if (end < 0)
            {
                throw new FormatException($"'{line[start..]}' does not end with {End}.");
            }

            string filled = Value(line[(start + Start.Length)..end].Trim(), wayTo);
            if (filled.Contains('\n', StringComparison.Ordinal) && line.Trim().Length != end + End.Length - start)
            {
                throw new FormatException($"'{line[start..(end + End.Length)]}' is a table or a plot, which must be on a line of its own.");
            }

            result.Append(line, done, start - done).Append(filled);
            done = end + End.Length;
        }

        return result.Append(line, done, line.Length - done).ToString();
    }

    private string Value(string placeholder, Func<EvidenceNames, string> wayTo)
    {
        int bar = placeholder.LastIndexOf('|');
        string name = bar < 0 ? placeholder : placeholder[..bar].Trim();
        string? format = bar < 0 ? null : placeholder[(bar + 1)..].Trim();
        EvidenceNames names = Folder(ref name);
        if (names.FindFigure(name) is { } figure)
        {
            return FigureFormat.Write(figure, format);
        }

        if (names.FindFact(name) is { } fact)
        {
            return format is null
                ? fact
                : double.TryParse(fact, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
                    ? FigureFormat.Write(new Figure(name, number, name.EndsWith("bytes", StringComparison.Ordinal) ? Units.Bytes : Units.None, string.Empty, []), format)
                    : throw new FormatException($"'{name}' is '{fact}', which is not a number that can be written as '{format}'.");
        }

        return names.FindBlock(name) is { } block
            ? MarkdownWriter.Write(block, wayTo(names)).TrimEnd('\n') + (block is PlotBlock ? string.Empty : "\n")
            : throw new FormatException($"'{name}' does not exist. Similar names are {string.Join(", ", NearNames.Of(name, names.All).Take(MostNearNames).Select(near => $"'{near.Name}'"))}; 'moe evidence figures' lists all names.");
    }

    private EvidenceNames Folder(ref string name)
    {
        int colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && folders.TryGetValue(name[..colon], out EvidenceNames? named))
        {
            name = name[(colon + 1)..].Trim();
            return named;
        }

        return folders.Count == 1
            ? folders.Values.Single()
            : throw new FormatException($"'{name}' does not name a folder: it must start with one of {string.Join(", ", folders.Keys.Select(key => $"'{key}:'"))}.");
    }
}
