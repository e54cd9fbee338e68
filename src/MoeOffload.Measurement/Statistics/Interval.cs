namespace MoeOffload.Measurement.Statistics;

/// <summary>Represents an estimate with its 95 % confidence interval.</summary>
/// <param name="Estimate">The estimate.</param>
/// <param name="Low">The lower end.</param>
/// <param name="High">The upper end.</param>
internal readonly record struct Interval(double Estimate, double Low, double High);
