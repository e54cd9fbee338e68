using MoeOffload.Gguf;

namespace MoeOffload;

/// <summary>How the KV cache is stored. Null takes llama.cpp's default.</summary>
public sealed record KvCacheOptions
{
    private static readonly GgmlType[] s_types =
    [
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.IQ4_NL, GgmlType.Q5_0, GgmlType.Q5_1,
    ];

    /// <summary>Type of the keys. Default: F16. Q8_0 halves the cache at little loss.</summary>
    public GgmlType? KeyType { get; set; }

    /// <summary>Type of the values. Default: F16. A quantized type needs flash attention.</summary>
    public GgmlType? ValueType { get; set; }

    /// <summary>Whether the cache lies on the devices that hold the layers. Default: true.</summary>
    public bool? Offload { get; set; }

    /// <summary>
    /// Whether all sequences share one buffer, which helps where they share a long prefix. Default: false, each has its own part.
    /// </summary>
    public bool? Unified { get; set; }

    /// <summary>
    /// Whether layers with sliding-window attention keep all tokens, not only their window. Default: true. False saves memory, and a
    /// sequence can then no longer be taken back to an earlier point.
    /// </summary>
    public bool? FullSizeSwa { get; set; }

    internal void Validate(FlashAttention flashAttention)
    {
        CheckType(KeyType, nameof(KeyType));
        CheckType(ValueType, nameof(ValueType));
        if (flashAttention == FlashAttention.Off && ValueType is { } type && type is not (GgmlType.F32 or GgmlType.F16 or GgmlType.BF16))
        {
            throw new ArgumentException(
                $"A V cache of type {type} needs flash attention, which is off: set FlashAttention to Auto or On, or ValueType to F16.", nameof(ValueType));
        }
    }

    private static void CheckType(GgmlType? type, string name)
    {
        if (type is { } value && !s_types.Contains(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"The KV cache can be stored as {string.Join(", ", s_types)}.");
        }
    }
}
