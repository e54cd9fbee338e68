namespace MoeOffload.Native;

/// <summary>Represents the memory of experts that stay in a model's files, in bytes.</summary>
internal readonly record struct NativeExpertMemory(long Limit, long Resident, long Peak, long Total);
