using System.Globalization;
using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>A number of a report, and how it follows from what was measured.</summary>
/// <param name="Id">Its name: <c>model/bench/…/statistic</c>.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Statistic">How it is computed; see <see cref="FigureMath"/>.</param>
/// <param name="Sources">From what: one list of values, or two.</param>
internal sealed record Figure(string Id, double Value, string Unit, string Statistic, IReadOnlyList<FigureSource> Sources)
{
    /// <summary>Reads a figure of a manifest.</summary>
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

    /// <summary>What it is computed from, to be compared.</summary>
    public string Origin => string.Create(CultureInfo.InvariantCulture, $"{Statistic} of {string.Join(" and ", Sources.Select(source => source.ToJson().ToJsonString()))}");
}
