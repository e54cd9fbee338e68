using MoeOffload.Measurement.Evidence.Figures;


namespace MoeOffload.Measurement.Evidence.Reporting;

/// <summary>Represents the report of a folder of evidence. It depends only on the raw files: the same files result in the same bytes.</summary>
/// <param name="Title">The title.</param>
/// <param name="Blocks">The parts.</param>
internal sealed record Report(string Title, IReadOnlyList<Block> Blocks)
{
    /// <summary>Creates the report of raw evidence.</summary>
    public static Report Of(EvidenceFolder folder, FigureSet figures)
    {
        string title = $"Evidence: {string.Join(", ", folder.Models.Select(model => model.Name))}";
        var blocks = new List<Block>();
        blocks.AddRange(MachineSection.Of(title, folder));
        foreach (ModelEvidence model in folder.Models)
        {
            blocks.AddRange(ModelSection.Of(model));
            blocks.AddRange(MemorySection.Of(model, figures));
            blocks.AddRange(StreamingSection.Of(model, figures));
            blocks.AddRange(QualitySection.Of(model, figures));
            blocks.AddRange(SweepSection.Of(model, figures));
        }

        blocks.AddRange(VerificationSection.Of(folder));
        return new Report(title, blocks);
    }

    /// <summary>Creates the report's files and their content.</summary>
    public IEnumerable<(string Name, string Text)> Files() =>
    [
        (EvidenceFiles.MarkdownReport, MarkdownWriter.Write(Blocks)),
        (EvidenceFiles.HtmlReport, HtmlWriter.Write(Title, Blocks)),
        .. Blocks.OfType<PlotBlock>().Select(plot => (plot.File, plot.Plot.Draw())),
    ];
}
