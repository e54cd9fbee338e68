namespace MoeOffload.Native;

/// <summary>Represents how often the experts of a layer were used while they were in the file, and what reading them took.</summary>
internal readonly record struct NativeExpertUse(long Hits, long Misses, long BytesRead, TimeSpan WaitTime);
