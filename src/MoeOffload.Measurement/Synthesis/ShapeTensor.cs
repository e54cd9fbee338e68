namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents a tensor of a model's shape.</summary>
/// <param name="Name">The name that llama.cpp expects.</param>
/// <param name="Dimensions">The number of elements in each dimension, starting with the row length.</param>
/// <param name="Content">The content.</param>
/// <param name="Layer">The layer; -1 if the tensor does not belong to a layer.</param>
internal sealed record ShapeTensor(string Name, long[] Dimensions, TensorContent Content, int Layer = -1)
{
    public long ElementCount => Dimensions.Aggregate(1L, (count, length) => count * length);

    /// <summary>Creates a matrix whose products keep the magnitude of the input: its standard deviation is 1/√(row length).</summary>
    public static ShapeTensor Matrix(int layer, string name, params long[] dimensions) =>
        new($"blk.{layer}.{name}.weight", dimensions, new TensorContent.Noise(1 / MathF.Sqrt(dimensions[0])), layer);

    public static ShapeTensor Norm(int layer, string name, long length) => new($"blk.{layer}.{name}.weight", [length], new TensorContent.Constant(1), layer);

    public static ShapeTensor Bias(int layer, string name, params long[] dimensions) =>
        new($"blk.{layer}.{name}.bias", dimensions, new TensorContent.Noise(0.02f), layer);
}
