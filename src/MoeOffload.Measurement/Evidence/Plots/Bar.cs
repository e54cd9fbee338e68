namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>A value with the range that its repeats cover.</summary>
/// <param name="Value">The value.</param>
/// <param name="Least">The least repeat.</param>
/// <param name="Most">The largest repeat.</param>
/// <param name="Text">The value as it is written.</param>
internal readonly record struct Bar(double Value, double Least, double Most, string Text);
