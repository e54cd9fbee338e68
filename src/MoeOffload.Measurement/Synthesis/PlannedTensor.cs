using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>A tensor and how a file stores it.</summary>
internal sealed record PlannedTensor(ShapeTensor Tensor, GgmlType Type)
{
    public long ByteCount => GgmlTypeInfo.Of(Type).GetByteCount(Tensor.Dimensions);
}
