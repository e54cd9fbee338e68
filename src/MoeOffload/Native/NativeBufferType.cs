using MoeOffload.Gguf;
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

    /// <summary>Gets a value that indicates whether the CPU keeps weights in an order of its own in the buffer.</summary>
    public bool IsRearranging
    {
        get
        {
            ggml_backend_device* device = GgmlBackendApi.ggml_backend_buft_get_device(Pointer);
            return device != null && GgmlBackendApi.ggml_backend_dev_type(device) == ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
                && GgmlBackendApi.ggml_backend_buft_is_host(Pointer) == 0;
        }
    }

    /// <summary>Determines whether the CPU can compute with a weight in a buffer that rearranges it, which is supported for some types only.</summary>
    /// <param name="isLookup">True if rows of the weight are looked up, and false if it is multiplied.</param>
    /// <param name="type">The type of the weight's elements.</param>
    /// <param name="dimensions">The number of elements in each dimension, with the row first. A weight with three has one matrix for each expert.</param>
    public bool CanCompute(bool isLookup, GgmlType type, IReadOnlyList<long> dimensions)
    {
        const int Tokens = 512;
        const int Slots = 8;
        long Size(int dimension) => dimension < dimensions.Count ? dimensions[dimension] : 1;
        bool hasExperts = Size(2) > 1;
        ggml_context* context = GgmlApi.ggml_init(new ggml_init_params { mem_size = 4 * GgmlApi.ggml_tensor_overhead(), no_alloc = 1 });
        ggml_backend_buffer* buffer = GgmlBackendApi.ggml_backend_buft_alloc_buffer(Pointer, 0);
        try
        {
            ggml_tensor* weight = GgmlApi.ggml_new_tensor_4d(context, (ggml_type)type, Size(0), Size(1), Size(2), Size(3));
            weight->buffer = buffer;
            ggml_tensor* input = isLookup
                ? GgmlApi.ggml_new_tensor_1d(context, ggml_type.GGML_TYPE_I32, Tokens)
                : GgmlApi.ggml_new_tensor_3d(context, ggml_type.GGML_TYPE_F32, Size(0), hasExperts ? Slots : Tokens, hasExperts ? Tokens : 1);
            ggml_tensor* result = GgmlApi.ggml_new_tensor_3d(
                context, ggml_type.GGML_TYPE_F32, isLookup ? Size(0) : Size(1), hasExperts ? Slots : Tokens, hasExperts ? Tokens : 1);
            result->op = isLookup ? ggml_op.GGML_OP_GET_ROWS : hasExperts ? ggml_op.GGML_OP_MUL_MAT_ID : ggml_op.GGML_OP_MUL_MAT;
            result->src[0] = weight;
            result->src[1] = input;
            result->src[2] = hasExperts ? GgmlApi.ggml_new_tensor_2d(context, ggml_type.GGML_TYPE_I32, Slots, Tokens) : null;
            return GgmlBackendApi.ggml_backend_dev_supports_op(GgmlBackendApi.ggml_backend_buft_get_device(Pointer), result) != 0;
        }
        finally
        {
            GgmlBackendApi.ggml_backend_buffer_free(buffer);
            GgmlApi.ggml_free(context);
        }
    }

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
