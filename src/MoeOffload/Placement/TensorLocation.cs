using MoeOffload.Gguf;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Represents the location of a tensor of a loaded model.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The data type of the tensor's elements.</param>
/// <param name="Bytes">The tensor's size, in bytes.</param>
/// <param name="Buffer">The name of the buffer type that holds the tensor, such as <c>CUDA0</c>, <c>CUDA_Host</c> or <c>CPU_Mapped</c>.</param>
/// <param name="Device">The name of the device that the buffer belongs to, such as <c>CUDA0</c> or <c>CPU</c>.</param>
/// <param name="IsHost"><see langword="true"/> if the buffer is in system memory.</param>
/// <param name="Rule">The zero-based index of the placement rule that applied, or <see langword="null"/> if none did.</param>
public sealed record TensorLocation(string Name, GgmlType Type, long Bytes, string Buffer, string Device, bool IsHost, int? Rule)
{
    /// <summary>Gets a value that indicates whether the tensor holds experts.</summary>
    public bool IsExpert => ExpertTensors.IsExpert(Name);

    /// <summary>Gets the zero-based number of the tensor's layer, or <see langword="null"/> if the tensor does not belong to a layer.</summary>
    public int? Layer => TensorNames.LayerOf(Name);

    /// <summary>Gets a value that indicates what the tensor is used for.</summary>
    public TensorGroup Group => GetGroup(Name);

    /// <summary>Determines what a tensor is used for by its name.</summary>
    /// <param name="tensor">The tensor's name in a GGUF file.</param>
    /// <returns>The group that the tensor belongs to.</returns>
    public static TensorGroup GetGroup(string tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorNames.GroupOf(tensor);
    }
}
