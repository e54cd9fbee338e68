namespace MoeOffload.Placement;

/// <summary>Represents the layers of a device and the experts that it holds.</summary>
/// <param name="FirstLayer">The number of the first layer.</param>
/// <param name="EndLayer">The number after that of the last layer.</param>
/// <param name="FirstPart">The position of the first part of experts.</param>
/// <param name="EndPart">The position behind the last part that is on the device; the parts of the remaining layers are in system memory.</param>
internal readonly record struct DeviceSegment(int FirstLayer, int EndLayer, int FirstPart, int EndPart)
{
    /// <summary>Gets the number of layers.</summary>
    public int LayerCount => EndLayer - FirstLayer;
}
