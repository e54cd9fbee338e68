using System.Text.Json.Nodes;
using MoeOffload.Measurement.Evidence.Figures;

namespace MoeOffload.Measurement.Evidence.Comparison;

/// <summary>The same figure of two folders.</summary>
/// <param name="Own">Of the first; null where it has none.</param>
/// <param name="Other">Of the second; null where it has none.</param>
/// <param name="OwnRange">The range of the first: its confidence interval, or its least and largest repeat; null where it has none.</param>
/// <param name="OtherRange">The range of the second.</param>
internal sealed record ComparedFigure(Figure? Own, Figure? Other, (double Low, double High)? OwnRange, (double Low, double High)? OtherRange)
{
    public string Id => (Own ?? Other)!.Id;

    /// <summary>How many times as much the second is; null where one is missing, or the first is 0.</summary>
    public double? Ratio => Own is { Value: not 0 } && Other is not null ? Other.Value / Own.Value : null;

    /// <summary>Whether the ranges have something in common; null where one is missing.</summary>
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
