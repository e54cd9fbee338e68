using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Converts what is read from llama.cpp to public types.</summary>
internal static class NativeReading
{
    /// <summary>Reads the memory that a context and its model use in each buffer type.</summary>
    public static List<MemoryUse> ReadUses(this NativeContext context) =>
        [.. context.ReadMemory().Select(use => new MemoryUse(use.BufferType, use.Device, use.IsHost, use.Weights, use.Context, use.Compute))];

    /// <summary>Reads the actual location of each tensor of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ruleOf">Gets the index of the placement rule that applies to a tensor.</param>
    public static List<TensorLocation> ReadLocations(this NativeModel model, Func<string, int?> ruleOf) =>
    [
        .. model.ReadTensors().Select(tensor => new TensorLocation(
            tensor.Name, tensor.Type, tensor.ByteCount, tensor.BufferType, tensor.Device, tensor.IsHost, ruleOf(tensor.Name))),
    ];

    /// <summary>Reads the type and the dimensions of each tensor of a model.</summary>
    public static Dictionary<string, (Gguf.GgmlType Type, long[] Dimensions)> ReadShapes(this NativeModel model)
    {
        Dictionary<string, (Gguf.GgmlType Type, long[] Dimensions)> shapes = new(StringComparer.Ordinal);
        foreach (NativeTensor tensor in model.ReadTensors())
        {
            // An embedding that is the output matrix as well has two copies with the same name, if the processor repacks the second one.
            shapes[tensor.Name] = (tensor.Type, tensor.Dimensions);
        }

        return shapes;
    }

    /// <summary>Describes the native libraries of this process, which must be loaded.</summary>
    public static RuntimeInfo DescribeRuntime() => new(
        NativeRuntime.Version,
        NativeRuntime.LoadedFrom,
        [.. NativeRuntime.Backends.Select(backend => new BackendLibrary(backend.Name, backend.Path, backend.LoadError))],
        RuntimeInfo.ReadFeatures(NativeRuntime.Features));
}
