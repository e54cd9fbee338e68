namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a point of a curve.</summary>
/// <param name="Setting">The setting.</param>
/// <param name="Value">The value.</param>
/// <param name="Least">The smallest repeat.</param>
/// <param name="Most">The largest repeat.</param>
internal readonly record struct CurvePoint(double Setting, double Value, double Least, double Most);
