namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a curve.</summary>
/// <param name="Label">The label.</param>
/// <param name="Points">The points, in ascending order of the setting.</param>
/// <param name="IsDashed">Whether the curve is dashed because the others are compared with it.</param>
internal sealed record Curve(string Label, IReadOnlyList<CurvePoint> Points, bool IsDashed = false);
