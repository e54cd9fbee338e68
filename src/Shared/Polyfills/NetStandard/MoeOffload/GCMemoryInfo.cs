namespace System;

/// <summary>Describes the memory of the machine, like the struct of .NET Core 3: the members that this library needs.</summary>
/// <param name="TotalAvailableMemoryBytes">The size of the memory, or the limit of the container if it is lower.</param>
/// <param name="MemoryLoadBytes">The part that is in use.</param>
internal readonly record struct GCMemoryInfo(long TotalAvailableMemoryBytes, long MemoryLoadBytes);
