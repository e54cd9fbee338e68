namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a bar that consists of several parts.</summary>
/// <param name="Label">The label.</param>
/// <param name="Parts">The parts, in the order of the plot.</param>
/// <param name="Text">The text of the sum.</param>
internal sealed record StackedBar(string Label, IReadOnlyList<double> Parts, string Text);
