using MoeOffload.Gguf;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Where one tensor of a loaded model is.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Bytes">Its size in bytes.</param>
/// <param name="Buffer">The buffer type that holds it, such as <c>CUDA0</c>, <c>CUDA_Host</c> or <c>CPU_Mapped</c>.</param>
/// <param name="Device">The device that the buffer belongs to, such as <c>CUDA0</c> or <c>CPU</c>.</param>
/// <param name="IsHost">Whether the buffer lies in system memory.</param>
/// <param name="Rule">The placement rule that put it there, from 0, or <see langword="null"/> if none named it.</param>
public sealed record TensorLocation(string Name, GgmlType Type, long Bytes, string Buffer, string Device, bool IsHost, int? Rule)
{
    /// <summary>Whether it holds experts.</summary>
    public bool IsExpert => ExpertTensors.IsExpert(Name);

    /// <summary>The layer that it belongs to, from 0; null outside the layers.</summary>
    public int? Layer => TensorNames.LayerOf(Name);

    /// <summary>What it is for.</summary>
    public TensorGroup Group => GroupOf(Name);

    /// <summary>What a tensor is for, by its name.</summary>
    /// <param name="tensor">A name as in a GGUF file.</param>
    public static TensorGroup GroupOf(string tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return TensorNames.GroupOf(tensor);
    }
}
