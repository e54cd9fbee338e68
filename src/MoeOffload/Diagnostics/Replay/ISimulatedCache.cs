namespace MoeOffload.Diagnostics.Replay;

/// <summary>Represents a simulated cache of experts.</summary>
internal interface ISimulatedCache
{
    /// <summary>Uses an expert, and keeps it if the policy does.</summary>
    /// <param name="position">The position of the use in the trace.</param>
    /// <param name="expert">The expert, by its number over all layers.</param>
    /// <returns><see langword="true"/> if it was in the cache; otherwise, <see langword="false"/>.</returns>
    bool Use(int position, int expert);
}
