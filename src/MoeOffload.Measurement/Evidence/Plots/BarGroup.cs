namespace MoeOffload.Measurement.Evidence.Plots;

/// <summary>Bars that belong together.</summary>
/// <param name="Label">What they have in common.</param>
/// <param name="Bars">One for each series; null where there is none.</param>
internal sealed record BarGroup(string Label, IReadOnlyList<Bar?> Bars);
