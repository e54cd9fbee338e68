using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents the experts of a model that stay in its files, with the memory of those that are in use. A model keeps it alive.
/// </summary>
internal sealed unsafe class ExpertStoreHandle : SafeHandle
{
    private ExpertStoreHandle(ggml_backend_buffer_type* experts, int[] layers, long totalBytes)
        : base(default, ownsHandle: true)
    {
        Layers = layers;
        TotalBytes = totalBytes;
        SetHandle((nint)experts);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>Gets the numbers of the layers that have such experts, in ascending order.</summary>
    public IReadOnlyList<int> Layers { get; }

    /// <summary>Gets the size of all these experts, in bytes.</summary>
    public long TotalBytes { get; }

    /// <summary>Gets the buffer type of the tensors, which is valid as long as the caller holds a reference to this handle.</summary>
    public ggml_backend_buffer_type* Pointer => (ggml_backend_buffer_type*)handle;

    /// <summary>Opens the files and reserves addresses for the experts. Nothing is read yet.</summary>
    /// <param name="files">The model's files.</param>
    /// <param name="tensors">The tensors that hold experts.</param>
    /// <param name="limit">The most memory that experts may take, in bytes.</param>
    /// <exception cref="ModelLoadException">A file cannot be opened, or the system refuses the addresses or the threads.</exception>
    public static ExpertStoreHandle Create(IReadOnlyList<string> files, IReadOnlyList<NativeExpertTensor> tensors, long limit)
    {
        using var scope = new NativeMemoryScope();
        byte** paths = (byte**)scope.Allocate<nint>(files.Count);
        for (int i = 0; i < files.Count; i++)
        {
            paths[i] = scope.Text(LongPath.ForNativeCode(files[i]), "A model path");
        }

        moe_expert_tensor* sources = scope.Allocate<moe_expert_tensor>(tensors.Count);
        for (int i = 0; i < tensors.Count; i++)
        {
            NativeExpertTensor tensor = tensors[i];
            sources[i] = new moe_expert_tensor
            {
                name = scope.Text(tensor.Name, "A tensor's name"),
                offset = (ulong)tensor.Offset,
                n_bytes = (ulong)tensor.Bytes,
                file = tensor.File,
                layer = tensor.Layer,
                n_experts = tensor.ExpertCount,
            };
        }

        byte* error = stackalloc byte[NativeError.BufferSize];
        ggml_backend_buffer_type* experts;
        moe_status status = ShimApi.moe_experts_new(
            paths, (nuint)files.Count, sources, (nuint)tensors.Count, (ulong)limit, &experts, error, NativeError.BufferSize);
        return status == moe_status.MOE_STATUS_OK
            ? new ExpertStoreHandle(experts, [.. tensors.Select(tensor => tensor.Layer).Distinct().Order()], tensors.Sum(tensor => tensor.Bytes))
            : throw new ModelLoadException(NativeError.Describe($"The experts of '{files[0]}' could not be prepared", status, error));
    }

    /// <summary>Reads how often experts were used, by layer, and their memory. Can be called on any thread.</summary>
    public NativeExpertUse[] Read(out NativeExpertMemory memory)
    {
        var uses = new moe_expert_use[Layers[^1] + 1];
        moe_expert_memory native;
        using (HandleUse use = new(this))
        {
            fixed (moe_expert_use* layers = uses)
            {
                ShimApi.moe_experts_counts(Pointer, layers, (nuint)uses.Length, &native, null, 0);
            }
        }

        memory = new NativeExpertMemory((long)native.limit, (long)native.resident, (long)native.peak, (long)native.total);
        return [.. uses.Select(layer => new NativeExpertUse(layer.hits, layer.misses, layer.bytes_read, TimeSpan.FromTicks(layer.wait_ns / 100)))];
    }

    /// <summary>Sets a function that is called before each read and can make it fail, for tests. It is not set in production.</summary>
    /// <param name="fault">The function, as the header of the shim describes it.</param>
    /// <param name="data">What the function receives.</param>
    public void Inject(delegate* unmanaged[Cdecl]<void*, int, ulong, byte*> fault, void* data)
    {
        using HandleUse use = new(this);
        ShimApi.moe_experts_inject(Pointer, fault, data, null, 0);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => ShimApi.moe_experts_free(Pointer, null, 0) == moe_status.MOE_STATUS_OK;
}
