namespace MoeOffload.Measurement.Benches;

/// <summary>A point of a sweep: what its axis says, and all that it has in common with the others.</summary>
/// <param name="Axis">One of <see cref="SweepAxis.All"/>.</param>
/// <param name="Value">Where on it.</param>
/// <param name="ExpertLayers">The first so many layers have their experts in system memory.</param>
/// <param name="IsMapped">Whether the file is mapped.</param>
/// <param name="MicroBatch">Most tokens that are computed at once.</param>
/// <param name="Threads">CPU threads.</param>
/// <param name="Depth">Tokens before the prompt.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
internal sealed record SweepPoint(string Axis, int Value, int ExpertLayers, bool IsMapped, int MicroBatch, int Threads, int Depth, int PromptTokens)
{
    /// <summary>What a model that is loaded must agree in.</summary>
    public (int ExpertLayers, bool IsMapped) Loading => (ExpertLayers, IsMapped);
}
