namespace MoeOffload.Inference.Planning;

/// <summary>Represents a sequence that can be saved, in system memory or in the KV cache.</summary>
/// <param name="Host">The sequence in system memory, or null.</param>
/// <param name="Slot">The sequence in the KV cache, or null.</param>
internal readonly record struct SavedSource(HostSequence? Host, SequenceSlot? Slot);
