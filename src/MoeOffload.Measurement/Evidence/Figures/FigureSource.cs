using System.Text.Json.Nodes;

namespace MoeOffload.Measurement.Evidence.Figures;

/// <summary>Represents a list of values that a figure is computed from.</summary>
/// <param name="File">The file.</param>
/// <param name="Field">The field.</param>
/// <param name="Lines">The numbers of the lines that have the field, starting at 1.</param>
internal sealed record FigureSource(string File, string Field, IReadOnlyList<int> Lines)
{
    public static FigureSource Read(JsonObject json) => new(
        json.Text("file"), json.Text("field"), [.. json.Numbers("lines").Select(line => line is >= 1 and < int.MaxValue ? (int)line : 0)]);

    public JsonObject ToJson() => new() { ["file"] = File, ["field"] = Field, ["lines"] = new JsonArray([.. Lines.Select(line => (JsonNode?)line)]) };
}
