using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a buffer type of a device. llama.cpp never frees it.</summary>
internal readonly unsafe struct NativeBufferType
{
    private NativeBufferType(ggml_backend_buffer_type* pointer)
    {
        Pointer = pointer;
        Name = Utf8.ToString(GgmlBackendApi.ggml_backend_buft_name(pointer));
    }

    /// <summary>Gets llama.cpp's name for the buffer type.</summary>
    public string Name { get; }

    /// <summary>Gets the buffer type.</summary>
    public ggml_backend_buffer_type* Pointer { get; }

    /// <summary>Lists the buffer types of devices.</summary>
    public static List<NativeBufferType> Of(IEnumerable<NativeDevice> devices)
    {
        List<NativeBufferType> types = [];
        foreach (NativeDevice device in devices)
        {
            ggml_backend_buffer_type* type;
            for (int i = 0; ShimApi.moe_device_buffer_type(device.Pointer, i, &type, null, 0) == moe_status.MOE_STATUS_OK && type != null; i++)
            {
                types.Add(new NativeBufferType(type));
            }
        }

        return types;
    }
}
