namespace MoeOffload;

/// <summary>When attention is computed by the flash attention kernels.</summary>
public enum FlashAttention
{
    /// <summary>Where every device that holds KV cache has them. llama.cpp's default.</summary>
    Auto,

    /// <summary>Always; a device without them computes attention on the CPU.</summary>
    On,

    /// <summary>Never. A quantized V cache is then not possible.</summary>
    Off,
}
