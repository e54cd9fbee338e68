namespace MoeOffload.Measurement.Benches;

/// <summary>Represents a point of a sweep, with all its settings.</summary>
/// <param name="Axis">One of <see cref="SweepAxis.All"/>.</param>
/// <param name="Value">The value on the axis.</param>
/// <param name="ExpertLayers">The number of layers, counted from the first one, whose experts are in system memory.</param>
/// <param name="IsMapped">Whether the file is mapped.</param>
/// <param name="MicroBatch">The maximum number of tokens that are computed at once.</param>
/// <param name="Threads">The number of CPU threads.</param>
/// <param name="Depth">The number of tokens before the prompt.</param>
/// <param name="PromptTokens">The number of tokens in the prompt.</param>
internal sealed record SweepPoint(string Axis, int Value, int ExpertLayers, bool IsMapped, int MicroBatch, int Threads, int Depth, int PromptTokens)
{
    /// <summary>Gets the settings that a loaded model must have to measure the point.</summary>
    public (int ExpertLayers, bool IsMapped) Loading => (ExpertLayers, IsMapped);
}
