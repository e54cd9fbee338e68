namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a bar with the range of its repeats.</summary>
/// <param name="Value">The value.</param>
/// <param name="Least">The smallest repeat.</param>
/// <param name="Most">The largest repeat.</param>
/// <param name="Text">The text of the value.</param>
internal readonly record struct Bar(double Value, double Least, double Most, string Text);
