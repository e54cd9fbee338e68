namespace MoeOffload;

/// <summary>Specifies whether attention is computed by flash attention kernels.</summary>
public enum FlashAttention
{
    /// <summary>Flash attention is used if every device that holds a part of the KV cache supports it. This is the default of llama.cpp.</summary>
    Auto,

    /// <summary>Flash attention is always used. If a device does not support it, attention is computed on the CPU.</summary>
    On,

    /// <summary>Flash attention is not used. The V cache cannot be quantized in this case.</summary>
    Off,
}
