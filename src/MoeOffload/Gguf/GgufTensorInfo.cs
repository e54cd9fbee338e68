namespace MoeOffload.Gguf;

/// <summary>What a GGUF file says about one tensor.</summary>
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

    /// <summary>The name, for instance <c>blk.0.ffn_up_exps.weight</c>.</summary>
    public string Name { get; }

    /// <summary>How its elements are stored.</summary>
    public GgmlType Type { get; }

    /// <summary>Elements per dimension, the innermost (the row) first, 0 to 4 of them.</summary>
    public IReadOnlyList<long> Dimensions { get; }

    /// <summary>Bytes from the start of its file's tensor data (<see cref="GgufFile.DataOffset"/>).</summary>
    public long Offset { get; }

    /// <summary>Bytes of its data, without padding.</summary>
    public long ByteCount { get; }

    /// <summary>The number, from 0, of the file that holds it when the model is split; else 0.</summary>
    public int Part { get; }

    /// <summary>Elements in all dimensions together.</summary>
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

    /// <summary>Gives one dimension, 1 where the tensor has fewer.</summary>
    public long GetDimension(int index) => index < Dimensions.Count ? Dimensions[index] : 1;

    /// <summary>Prints name, type and shape.</summary>
    public override string ToString() => $"{Name} {GgmlTypeInfo.Of(Type).Name} [{string.Join(", ", Dimensions)}]";
}
