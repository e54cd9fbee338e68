namespace MoeOffload.Inference.Planning;

/// <summary>Represents the result of a <see cref="CacheOperation"/>.</summary>
/// <param name="Succeeded"><see langword="true"/> if the operation succeeded.</param>
/// <param name="Value">The number that the operation read.</param>
/// <param name="Host">The sequence that was swapped out.</param>
internal readonly record struct CacheResult(bool Succeeded, long Value = 0, HostSequence? Host = null);
