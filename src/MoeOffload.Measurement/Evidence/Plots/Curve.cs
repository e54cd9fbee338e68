namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>A curve.</summary>
/// <param name="Label">What it is of.</param>
/// <param name="Points">Its points, by setting.</param>
/// <param name="IsDashed">Whether it is what the others are compared with.</param>
internal sealed record Curve(string Label, IReadOnlyList<CurvePoint> Points, bool IsDashed = false);
