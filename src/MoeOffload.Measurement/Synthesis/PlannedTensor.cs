using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents a tensor and its storage type.</summary>
internal sealed record PlannedTensor(ShapeTensor Tensor, GgmlType Type)
{
    public long ByteCount => GgmlTypeInfo.Get(Type).GetByteCount(Tensor.Dimensions);
}
