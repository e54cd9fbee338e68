using System.Text;
using MoeOffload.Measurement.Evidence.Plots;

namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Writes a report as a self-contained HTML file with embedded plots and without scripts.</summary>
internal static class HtmlWriter
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --ground: #ffffff; --line: #d8dee4; --stripe: #f6f8fa; --warning: #fff1d6 }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --ground: #0d1117; --line: #2b323b; --stripe: #151b23; --warning: #3a2a0a } }
        body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; color: var(--ink); background: var(--ground); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
        h1 { line-height: 1.2 } h2 { margin-top: 3rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) } h3 { margin-top: 2rem }
        code, pre { font: .875em ui-monospace, "SF Mono", Consolas, monospace } pre { padding: .75rem 1rem; overflow-x: auto; background: var(--stripe) }
        .warning { padding: .6rem 1rem; background: var(--warning); border-radius: 6px; font-weight: 600 }
        .scroll { overflow-x: auto; margin: 1rem 0 } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
        caption { padding: .3rem 0; text-align: left; white-space: nowrap; color: var(--soft) } th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top }
        th { border-bottom: 1px solid var(--ink) } td { border-bottom: 1px solid var(--line) } .number { text-align: right; white-space: nowrap }
        figure { margin: 1.5rem 0 } svg { max-width: 100%; height: auto }
        """;

    /// <summary>Writes a whole report.</summary>
    public static string Write(string title, IEnumerable<Block> blocks)
    {
        var text = new StringBuilder();
        text.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        text.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        text.Append("<title>").Append(Xml.Escape(title)).Append("</title>\n<style>\n").Append(Style.ReplaceLineEndings("\n")).Append("\n</style>\n</head>\n<body>\n");
        foreach (Block block in blocks)
        {
            Append(text, block);
        }

        return text.Append("</body>\n</html>\n").ToString();
    }

    private static void Append(StringBuilder text, Block block)
    {
        _ = block switch
        {
            HeadingBlock heading => text.Append("<h").Append(heading.Level).Append('>').Append(Inline(heading.Text)).Append("</h").Append(heading.Level).Append(">\n"),
            ParagraphBlock paragraph => text.Append(paragraph.IsWarning ? "<p class=\"warning\">" : "<p>").Append(Inline(paragraph.Text)).Append("</p>\n"),
            CodeBlock code => text.Append("<pre>").Append(Xml.Escape(code.Lines.TrimEnd('\n'))).Append("</pre>\n"),
            TableBlock table => Append(text, table),
            PlotBlock plot => text.Append("<figure>\n").Append(plot.Plot.Draw()).Append("</figure>\n"),
            _ => throw new ArgumentException($"There is no HTML for {block.GetType().Name}.", nameof(block)),
        };
    }

    private static StringBuilder Append(StringBuilder text, TableBlock table)
    {
        text.Append("<div class=\"scroll\"><table>\n<caption>").Append(Inline(table.Caption)).Append("</caption>\n<tr>");
        foreach (string header in table.Headers)
        {
            text.Append(header.StartsWith('>') ? "<th class=\"number\">" : "<th>").Append(Inline(header.TrimStart('>'))).Append("</th>");
        }

        text.Append("</tr>\n");
        foreach (IReadOnlyList<Cell> row in table.Rows)
        {
            text.Append("<tr>");
            for (int i = 0; i < row.Count; i++)
            {
                text.Append("<td").Append(table.Headers[i].StartsWith('>') ? " class=\"number\"" : string.Empty);
                text.Append(row[i].Figure.Length > 0 ? $" title=\"{Xml.Escape(row[i].Figure)}\"" : string.Empty);
                text.Append('>').Append(Inline(row[i].Text)).Append("</td>");
            }

            text.Append("</tr>\n");
        }

        return text.Append("</table></div>\n");
    }

    private static string Inline(string text)
    {
        string[] parts = text.Split('`');
        return string.Concat(parts.Select((part, index) =>
            index % 2 == 0 ? Xml.Escape(part) : index < parts.Length - 1 ? $"<code>{Xml.Escape(part)}</code>" : $"`{Xml.Escape(part)}"));
    }
}
