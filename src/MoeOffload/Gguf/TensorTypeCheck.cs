namespace MoeOffload.Gguf;

/// <summary>Checks that llama.cpp's CPU backend can compute with the types of the tensors; it does not check them itself.</summary>
internal static class TensorTypeCheck
{
    public static void Run(GgufModelFiles model, ModelValues values)
    {
        foreach (var tensor in model.Tensors)
        {
            if (!IsPossible(tensor))
            {
                throw values.Fail(
                    $"tensor '{tensor.Name}'", $"is of type {GgmlTypeInfo.Get(tensor.Type).Name}, which llama.cpp does not support for this tensor");
            }
        }
    }

    /// <summary>Determines whether matrices of a type can be multiplied.</summary>
    public static bool CanMultiply(GgmlType type) => type is not (GgmlType.I8 or GgmlType.I16 or GgmlType.I32 or GgmlType.I64
        or GgmlType.F64 or GgmlType.Q8_1 or GgmlType.Q8_K);

    private static bool IsPossible(GgufTensorInfo tensor)
    {
        var name = tensor.Name;
        if (name.EndsWith(".bias", StringComparison.Ordinal)
            || name.EndsWith("norm.weight", StringComparison.Ordinal)
            || name.EndsWith(".attn_sinks.weight", StringComparison.Ordinal)
            || name.StartsWith("rope_f", StringComparison.Ordinal))
        {
            return tensor.Type == GgmlType.F32;
        }

        return !IsMatrix(tensor) || CanMultiply(tensor.Type);
    }

    private static bool IsMatrix(GgufTensorInfo tensor) =>
        tensor.Dimensions.Count > 1
        && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
        && !tensor.Name.Contains("tid2eid", StringComparison.Ordinal);
}
