namespace MoeOffload.Inference.Planning;

/// <summary>Something that can be saved: a sequence in system memory, or one in the KV cache.</summary>
/// <param name="Host">The one in system memory, or null.</param>
/// <param name="Slot">The one in the KV cache, or null.</param>
internal readonly record struct SavedSource(HostSequence? Host, SequenceSlot? Slot);
