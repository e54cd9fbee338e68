namespace MoeOffload.Measurement.Synthesis;

/// <summary>A tensor of a model's shape.</summary>
/// <param name="Name">Its name, as llama.cpp's loaders expect it.</param>
/// <param name="Dimensions">Elements per dimension, the row first.</param>
/// <param name="Content">What it is filled with.</param>
/// <param name="Layer">Its layer; -1 where it belongs to none.</param>
internal sealed record ShapeTensor(string Name, long[] Dimensions, TensorContent Content, int Layer = -1)
{
    public long ElementCount => Dimensions.Aggregate(1L, (count, length) => count * length);

    /// <summary>A matrix that keeps the size of what it is multiplied with: its deviation is 1/√(row length).</summary>
    public static ShapeTensor Matrix(int layer, string name, params long[] dimensions) =>
        new($"blk.{layer}.{name}.weight", dimensions, new TensorContent.Noise(1 / MathF.Sqrt(dimensions[0])), layer);

    public static ShapeTensor Norm(int layer, string name, long length) => new($"blk.{layer}.{name}.weight", [length], new TensorContent.Constant(1), layer);

    public static ShapeTensor Bias(int layer, string name, params long[] dimensions) =>
        new($"blk.{layer}.{name}.bias", dimensions, new TensorContent.Noise(0.02f), layer);
}
