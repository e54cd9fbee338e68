namespace MoeOffload.Gguf;

/// <summary>Parses and checks the descriptions of tensors according to the rules of llama.cpp's reader.</summary>
internal sealed class GgufTensorReader(GgufHeaderReader header, int alignment, int part)
{
    internal const int MinimumBytes = 8 + 4 + 4 + 8;
    internal const int MaxNameBytes = 63;
    internal const int MaxDimensions = 4;

    private readonly GgufHeaderBuffer _buffer = header.Buffer;

    public GgufTensorInfo[] Read(int count, out long dataOffset)
    {
        var tensors = new List<GgufTensorInfo>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var tensor = ReadTensor(i);
            if (!names.Add(tensor.Name))
            {
                throw header.FailDamaged("an earlier tensor has the same name");
            }

            tensors.Add(tensor);
        }

        dataOffset = count == 0 ? _buffer.Position : Pad(_buffer.Position);
        CheckPlaces(tensors, _buffer.Length - dataOffset);
        header.CheckEnd(tensors is [.., var last] ? dataOffset + last.Offset + last.ByteCount : dataOffset, alignment);
        return [.. tensors];
    }

    private GgufTensorInfo ReadTensor(int index)
    {
        header.At($"tensor {index}");
        header.Require(MinimumBytes, "a tensor's description");
        var name = header.ReadName("name", MaxNameBytes);
        header.At($"tensor {index} '{name}'");
        header.Require(4, "its number of dimensions");
        var rank = _buffer.ReadUInt32();
        if (rank > MaxDimensions)
        {
            throw header.FailDamaged($"it claims {rank} dimensions, and {MaxDimensions} are allowed");
        }

        header.Require((rank * 8) + 4 + 8, "its shape");
        var dimensions = new long[rank];
        for (var i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = (long)_buffer.ReadUInt64();
        }

        var type = (GgmlType)_buffer.ReadUInt32();
        var bytes = CountBytes(type, dimensions);
        var offset = _buffer.ReadUInt64();
        return offset <= long.MaxValue
            ? new GgufTensorInfo(name, type, dimensions, (long)offset, bytes, part)
            : throw header.FailDamaged($"offset {offset} lies outside the file");
    }

    private long CountBytes(GgmlType type, long[] dimensions)
    {
        var shape = $"[{string.Join(", ", dimensions)}]";
        if (!GgmlTypeInfo.TryGet(type, out var info))
        {
            throw header.Fail(
                $"tensor type {(uint)type} is unknown: the file is damaged, uses a type that llama.cpp removed, or is newer than this version of MoeOffload");
        }

        if (Array.Exists(dimensions, dimension => dimension < 0))
        {
            throw header.FailDamaged($"the shape {shape} has a negative dimension");
        }

        try
        {
            return info.GetByteCount(dimensions);
        }
        catch (ArgumentException)
        {
            throw header.FailDamaged($"a row of the shape {shape} is not a multiple of {info.Name}'s block of {info.BlockSize}");
        }
        catch (OverflowException)
        {
            throw header.FailDamaged($"the shape {shape} is larger than any file can be");
        }
    }

    private void CheckPlaces(List<GgufTensorInfo> tensors, long dataBytes)
    {
        long end = 0;
        for (var i = 0; i < tensors.Count; i++)
        {
            var tensor = tensors[i];
            header.At($"tensor {i} '{tensor.Name}'");
            if (tensor.Offset % alignment != 0)
            {
                throw header.FailDamaged($"offset {tensor.Offset} is not aligned to {alignment} bytes");
            }

            if (tensor.Offset > dataBytes - tensor.ByteCount)
            {
                throw header.Fail(
                    $"its {tensor.ByteCount} bytes at offset {tensor.Offset} lie outside the file ({Math.Max(0, dataBytes)} bytes of data): the file is truncated; download it again");
            }

            if (tensor.Offset != end)
            {
                throw header.FailDamaged(tensor.Offset < end
                    ? $"offset {tensor.Offset} overlaps the tensor before it, which ends at {end}"
                    : $"offset {tensor.Offset} leaves a gap after the tensor before it, which ends at {end}");
            }

            end = Pad(tensor.Offset + tensor.ByteCount);
        }
    }

    private long Pad(long position) => checked(position + alignment - 1) & -(long)alignment;
}
