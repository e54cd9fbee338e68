namespace MoeOffload;

/// <summary>A device that can hold weights and compute.</summary>
/// <param name="Name">llama.cpp's name, by which options refer to it: <c>CPU</c>, <c>CUDA0</c>, <c>RPC0</c>.</param>
/// <param name="Description">The hardware's name; for an RPC device the server's address.</param>
/// <param name="Kind">What it is.</param>
/// <param name="FreeBytes">Memory that was free when asked, in bytes; 0 where the device does not say.</param>
/// <param name="TotalBytes">All its memory in bytes; 0 where the device does not say.</param>
public sealed record DeviceInfo(string Name, string Description, DeviceKind Kind, long FreeBytes, long TotalBytes);
