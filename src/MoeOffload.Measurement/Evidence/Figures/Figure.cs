using System.Globalization;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Represents a number of a report and how it is computed from the samples.</summary>
/// <param name="Id">The name of the figure: <c>model/bench/…/statistic</c>.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">The unit.</param>
/// <param name="Statistic">The name of the statistic. See <see cref="FigureMath"/>.</param>
/// <param name="Sources">One or two lists of values that the figure is computed from.</param>
internal sealed record Figure(string Id, double Value, string Unit, string Statistic, IReadOnlyList<FigureSource> Sources)
{
    /// <summary>Reads a figure from a manifest.</summary>
    public static Figure Read(JsonObject json) => new(
        json.Text("id"), json.Number("value"), json.Text("unit"), json.Text("statistic"), [.. json.Objects("sources").Select(FigureSource.Read)]);

    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["value"] = Value,
        ["unit"] = Unit,
        ["statistic"] = Statistic,
        ["sources"] = new JsonArray([.. Sources.Select(source => source.ToJson())]),
    };

    /// <summary>Gets a text that describes what the figure is computed from, for comparison.</summary>
    public string Origin => string.Create(CultureInfo.InvariantCulture, $"{Statistic} of {string.Join(" and ", Sources.Select(source => source.ToJson().ToJsonString()))}");
}
