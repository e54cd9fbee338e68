using System.Runtime.InteropServices;
using MoeOffload.Gguf;
using MoeOffload.Native.Generated;

namespace MoeOffload.Fixtures;

/// <summary>Rows as ggml itself reads them.</summary>
public static unsafe class GgmlRows
{
    /// <summary>Decodes blocks of a type by ggml's own function.</summary>
    public static float[] Decode(GgmlType type, ReadOnlySpan<byte> blocks)
    {
        // Loads the libraries.
        _ = MoeModel.ListDevices();
        GgmlTypeInfo info = GgmlTypeInfo.Get(type);
        float[] values = new float[blocks.Length / info.BytesPerBlock * info.BlockSize];
        if (type == GgmlType.F32)
        {
            MemoryMarshal.Cast<byte, float>(blocks).CopyTo(values);
            return values;
        }

        fixed (byte* source = blocks)
        fixed (float* destination = values)
        {
            GgmlApi.ggml_get_type_traits((ggml_type)(int)type)->to_float(source, destination, values.Length);
        }

        return values;
    }
}
