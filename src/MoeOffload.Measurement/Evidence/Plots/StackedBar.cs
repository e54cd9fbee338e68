namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>A sum and its parts.</summary>
/// <param name="Label">What it is of.</param>
/// <param name="Parts">The parts, in the plot's order.</param>
/// <param name="Text">The sum as it is written.</param>
internal sealed record StackedBar(string Label, IReadOnlyList<double> Parts, string Text);
