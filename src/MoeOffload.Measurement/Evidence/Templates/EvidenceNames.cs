using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;
using MoeOffload.Measurement.Evidence.Reporting;

namespace MoeOffload.Measurement.Evidence.Templates;

/// <summary>Provides the figures, facts, tables and plots of a folder of evidence by name, for templates.</summary>
internal sealed class EvidenceNames
{
    public const string Table = "table:";
    public const string Plot = "plot:";

    private readonly Dictionary<string, Figure> _figures;
    private readonly Dictionary<string, string> _facts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Block> _blocks = new(StringComparer.Ordinal);

    /// <summary>Names the content of a folder.</summary>
    /// <exception cref="FormatException">A figure cannot be computed.</exception>
    public EvidenceNames(EvidenceFolder folder)
    {
        Directory = folder.Files.Directory;
        FigureSet figures = FigureSet.Of(folder);
        _figures = figures.Figures.ToDictionary(figure => figure.Id, StringComparer.Ordinal);
        AddFacts("machine", folder.Machine);
        foreach (ModelEvidence model in folder.Models)
        {
            AddFacts($"{model.Name}/model", model.Facts);
            AddFacts($"{model.Name}/protocol", model.Protocol);
        }

        foreach (Block block in Report.Of(folder, figures).Blocks)
        {
            _ = block switch
            {
                TableBlock table => _blocks.TryAdd(Table + table.Name, table),
                PlotBlock plot => _blocks.TryAdd(Plot + plot.Name, plot),
                _ => false,
            };
        }
    }

    /// <summary>Gets the folder.</summary>
    public string Directory { get; }

    public IEnumerable<Figure> Figures => _figures.Values;

    public IReadOnlyDictionary<string, string> Facts => _facts;

    public IEnumerable<string> Blocks => _blocks.Keys;

    /// <summary>Gets all names.</summary>
    public IEnumerable<string> All => _figures.Keys.Concat(_facts.Keys).Concat(_blocks.Keys);

    public Figure? FindFigure(string name) => _figures.GetValueOrDefault(name);

    public string? FindFact(string name) => _facts.GetValueOrDefault(name);

    public Block? FindBlock(string name) => _blocks.GetValueOrDefault(name);

    private void AddFacts(string name, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject fields:
                foreach ((string field, JsonNode? inner) in fields)
                {
                    AddFacts($"{name}/{field}", inner);
                }

                break;
            case JsonArray items:
                for (int i = 0; i < items.Count; i++)
                {
                    AddFacts($"{name}/{i}", items[i]);
                }

                break;
            case not null:
                _facts[name] = value.ToString();
                break;
        }
    }
}
