using System.Text;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Writes reports as Markdown.</summary>
internal static class MarkdownWriter
{
    /// <summary>Writes a whole report.</summary>
    public static string Write(IEnumerable<Block> blocks) => string.Join("\n", blocks.Select(block => Write(block, string.Empty)));

    /// <summary>Writes one part of a report.</summary>
    /// <param name="block">The part.</param>
    /// <param name="folder">
    /// The relative path from the text to the folder of evidence, with a slash at the end; empty for a text in the folder.
    /// </param>
    public static string Write(Block block, string folder) => block switch
    {
        HeadingBlock heading => $"{new string('#', heading.Level)} {Escape(heading.Text)}\n",
        ParagraphBlock { IsWarning: true } warning => $"> **{Escape(warning.Text)}**\n",
        ParagraphBlock paragraph => $"{Escape(paragraph.Text)}\n",
        CodeBlock code => $"```\n{code.Lines.TrimEnd('\n').Replace("```", "'''", StringComparison.Ordinal)}\n```\n",
        TableBlock table => Write(table),
        PlotBlock plot => $"![{Escape($"{plot.Plot.Title}. {plot.Plot.Subtitle}")}]({Uri.EscapeDataString(folder).Replace("%2F", "/", StringComparison.Ordinal)}{plot.File})\n",
        _ => throw new ArgumentException($"There is no Markdown for {block.GetType().Name}.", nameof(block)),
    };

    private static string Write(TableBlock table)
    {
        var text = new StringBuilder();
        text.Append(Escape(table.Caption)).Append("\n\n");
        AppendRow(text, table.Headers.Select(header => Escape(header.TrimStart('>'))));
        AppendRow(text, table.Headers.Select(header => header.StartsWith('>') ? "---:" : "---"));
        foreach (IReadOnlyList<Cell> row in table.Rows)
        {
            AppendRow(text, row.Select(cell => Escape(cell.Text)));
        }

        return text.ToString();
    }

    private static void AppendRow(StringBuilder text, IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");

    // Texts can come from an untrusted source, so they must not become links, elements or table rows.
    private static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char character in text)
        {
            _ = character switch
            {
                '\r' or '\n' => result.Append(' '),
                '|' or '<' or '>' or '[' or ']' or '*' or '\\' => result.Append('\\').Append(character),
                _ => result.Append(character),
            };
        }

        return result.ToString();
    }
}
