namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Represents a group of bars.</summary>
/// <param name="Label">The label of the group.</param>
/// <param name="Bars">One bar for each series, or null if a series has no value here.</param>
internal sealed record BarGroup(string Label, IReadOnlyList<Bar?> Bars);
