using MoeOffload.Measurement.Evidence.Plots;


namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Represents a part of a report, which can be written as Markdown and HTML. Text between backticks is code.</summary>
internal abstract record Block;

/// <param name="Level">The level, starting at 1.</param>
/// <param name="Text">The text.</param>
internal sealed record HeadingBlock(int Level, string Text) : Block;

/// <param name="Text">The text.</param>
/// <param name="IsWarning">Whether the paragraph is a warning.</param>
internal sealed record ParagraphBlock(string Text, bool IsWarning = false) : Block;

/// <param name="Lines">The preformatted text.</param>
internal sealed record CodeBlock(string Lines) : Block;

/// <param name="Name">The name for placeholders.</param>
/// <param name="Caption">The caption, which names the content and the conditions of the measurement.</param>
/// <param name="Headers">The column headers. A column whose header starts with <c>&gt;</c> is aligned to the right.</param>
/// <param name="Rows">The rows.</param>
internal sealed record TableBlock(string Name, string Caption, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<Cell>> Rows) : Block;

/// <param name="Name">The name for placeholders.</param>
/// <param name="Plot">The plot.</param>
internal sealed record PlotBlock(string Name, Plot Plot) : Block
{
    /// <summary>Gets the path of the plot's file in the folder.</summary>
    public string File => $"{EvidenceFiles.Plots}/{Name.Replace('/', '.')}.svg";
}

/// <summary>Represents a cell of a table.</summary>
/// <param name="Text">The text.</param>
/// <param name="Figure">The id of the first figure in the cell; empty if there is none.</param>
internal readonly record struct Cell(string Text, string Figure = "")
{
    public static implicit operator Cell(string text) => new(text);
}
