using MoeOffload.Measurement.Evidence.Plots;


namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>A part of a report, which can be written as Markdown and as HTML. Words between backticks are code.</summary>
internal abstract record Block;

/// <param name="Level">From 1.</param>
/// <param name="Text">The text.</param>
internal sealed record HeadingBlock(int Level, string Text) : Block;

/// <param name="Text">The text.</param>
/// <param name="IsWarning">Whether a reader must not miss it.</param>
internal sealed record ParagraphBlock(string Text, bool IsWarning = false) : Block;

/// <param name="Lines">Text that is shown as it is.</param>
internal sealed record CodeBlock(string Lines) : Block;

/// <param name="Name">Its name, as placeholders give it.</param>
/// <param name="Caption">What it shows, and under what conditions.</param>
/// <param name="Headers">The columns; one that begins with <c>&gt;</c> is aligned to the right.</param>
/// <param name="Rows">The rows.</param>
internal sealed record TableBlock(string Name, string Caption, IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyList<Cell>> Rows) : Block;

/// <param name="Name">Its name, as placeholders give it.</param>
/// <param name="Plot">What is drawn.</param>
internal sealed record PlotBlock(string Name, Plot Plot) : Block
{
    /// <summary>Its file in the folder.</summary>
    public string File => $"{EvidenceFiles.Plots}/{Name.Replace('/', '.')}.svg";
}

/// <summary>A cell of a table.</summary>
/// <param name="Text">What is in it.</param>
/// <param name="Figure">The id of the figure that it shows first; empty where there is none.</param>
internal readonly record struct Cell(string Text, string Figure = "")
{
    public static implicit operator Cell(string text) => new(text);
}
