namespace MoeOffload.Inference.Planning;

/// <summary>What became of a <see cref="CacheOperation"/>.</summary>
/// <param name="Succeeded">Whether it was done.</param>
/// <param name="Value">The number that it has read.</param>
/// <param name="Host">What was swapped out.</param>
internal readonly record struct CacheResult(bool Succeeded, long Value = 0, HostSequence? Host = null);
