namespace MoeOffload;

/// <summary>Represents a device that can hold weights and compute with them.</summary>
/// <param name="Name">llama.cpp's name for the device, which options refer to, such as <c>CPU</c>, <c>CUDA0</c> or <c>RPC0</c>.</param>
/// <param name="Description">The name of the hardware; for an RPC device, the address of the server.</param>
/// <param name="Kind">The kind of device.</param>
/// <param name="FreeBytes">The memory that was free when the device was queried, in bytes, or 0 if the device does not report it.</param>
/// <param name="TotalBytes">The device's total memory, in bytes, or 0 if the device does not report it.</param>
public sealed record DeviceInfo(string Name, string Description, DeviceKind Kind, long FreeBytes, long TotalBytes);
