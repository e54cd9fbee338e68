namespace MoeOffload;

/// <summary>Represents a device that the planner can place layers on. It need not be a device of this machine.</summary>
/// <param name="Name">The device's name, such as <c>CUDA0</c>.</param>
/// <param name="FreeBytes">The memory that the device has free, in bytes.</param>
public sealed record PlacementDevice(string Name, long FreeBytes)
{
    /// <summary>Gets the name of the buffer that holds weights on the device. By default, it is the name of the device.</summary>
    public string Buffer { get; init; } = Name;

    /// <summary>
    /// Gets a value that indicates whether the device uses system memory, like an integrated GPU. What is placed on it then also counts as
    /// system memory. The default is <see langword="false"/>.
    /// </summary>
    public bool SharesHostMemory { get; init; }
}
