namespace MoeOffload.Gguf;

/// <summary>Represents the description of a tensor in a GGUF file.</summary>
public sealed class GgufTensorInfo
{
    internal GgufTensorInfo(string name, GgmlType type, long[] dimensions, long offset, long byteCount, int part)
    {
        Name = name;
        Type = type;
        Dimensions = dimensions;
        Offset = offset;
        ByteCount = byteCount;
        Part = part;
    }

    /// <summary>Gets the name, such as <c>blk.0.ffn_up_exps.weight</c>.</summary>
    public string Name { get; }

    /// <summary>Gets the data type of the elements.</summary>
    public GgmlType Type { get; }

    /// <summary>Gets the number of elements in each dimension, with the row first. There are 0 to 4 dimensions.</summary>
    public IReadOnlyList<long> Dimensions { get; }

    /// <summary>Gets the offset from the start of the file's tensor data (<see cref="GgufFile.DataOffset"/>), in bytes.</summary>
    public long Offset { get; }

    /// <summary>Gets the size of the data without padding, in bytes.</summary>
    public long ByteCount { get; }

    /// <summary>Gets the zero-based number of the file that contains the tensor, or 0 if the model is not split.</summary>
    public int Part { get; }

    /// <summary>Gets the total number of elements.</summary>
    public long ElementCount
    {
        get
        {
            long count = 1;
            foreach (var dimension in Dimensions)
            {
                count *= dimension;
            }

            return count;
        }
    }

    /// <summary>Gets the number of elements in a dimension.</summary>
    /// <param name="index">The zero-based index of the dimension.</param>
    /// <returns>The number of elements, or 1 if the tensor has fewer dimensions.</returns>
    public long GetDimension(int index) => index < Dimensions.Count ? Dimensions[index] : 1;

    /// <summary>Returns the name, the type and the dimensions.</summary>
    public override string ToString() => $"{Name} {GgmlTypeInfo.Get(Type).Name} [{string.Join(", ", Dimensions)}]";
}
