using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;

namespace MoeOffload.Measurement.Evidence.Comparison;

/// <summary>Represents the same figure in two folders.</summary>
/// <param name="Own">The figure in the first folder; null if it does not exist there.</param>
/// <param name="Other">The figure in the second folder; null if it does not exist there.</param>
/// <param name="OwnRange">The confidence interval of the first figure, or its smallest and largest repeat; null if there is no range.</param>
/// <param name="OtherRange">The range of the second figure.</param>
internal sealed record ComparedFigure(Figure? Own, Figure? Other, (double Low, double High)? OwnRange, (double Low, double High)? OtherRange)
{
    public string Id => (Own ?? Other)!.Id;

    /// <summary>Gets the ratio of the second figure to the first; null if one is missing, or the first is 0.</summary>
    public double? Ratio => Own is { Value: not 0 } && Other is not null ? Other.Value / Own.Value : null;

    /// <summary>Gets a value that indicates whether the ranges overlap; null if one is missing.</summary>
    public bool? Overlap => OwnRange is var (low, high) && OtherRange is var (otherLow, otherHigh) ? low <= otherHigh && otherLow <= high : null;

    public JsonObject ToJson() => new()
    {
        ["id"] = Id,
        ["unit"] = (Own ?? Other)!.Unit,
        ["first"] = Describe(Own, OwnRange),
        ["second"] = Describe(Other, OtherRange),
        ["ratio"] = Ratio,
        ["overlap"] = Overlap,
    };

    private static JsonObject? Describe(Figure? figure, (double Low, double High)? range) =>
        figure is null ? null : new JsonObject { ["value"] = figure.Value, ["low"] = range?.Low, ["high"] = range?.High };
}
