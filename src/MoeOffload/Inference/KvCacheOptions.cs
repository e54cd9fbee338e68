using MoeOffload.Gguf;

namespace MoeOffload;

/// <summary>Provides options for the KV cache. A property that is <see langword="null"/> uses the default of llama.cpp.</summary>
public sealed record KvCacheOptions
{
    private static readonly GgmlType[] s_types =
    [
        GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.IQ4_NL, GgmlType.Q5_0, GgmlType.Q5_1,
    ];

    /// <summary>Gets or sets the data type of the keys. The default is F16. Q8_0 halves the size of the cache with little loss of quality.</summary>
    public GgmlType? KeyType { get; set; }

    /// <summary>Gets or sets the data type of the values. The default is F16. A quantized type requires flash attention.</summary>
    public GgmlType? ValueType { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether the KV cache is stored on the devices that hold the layers. The default is
    /// <see langword="true"/>.
    /// </summary>
    public bool? Offload { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether all sequences share one buffer, which is useful if they have a long prefix in common.
    /// The default is <see langword="false"/>: each sequence has its own part.
    /// </summary>
    public bool? Unified { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether layers with sliding-window attention keep all tokens instead of only their window. The
    /// default is <see langword="true"/>. <see langword="false"/> saves memory, but a sequence can then no longer be rewound to an earlier
    /// position.
    /// </summary>
    public bool? FullSizeSwa { get; set; }

    internal void Validate(FlashAttention flashAttention)
    {
        CheckType(KeyType, nameof(KeyType));
        CheckType(ValueType, nameof(ValueType));
        if (flashAttention == FlashAttention.Off && ValueType is { } type && type is not (GgmlType.F32 or GgmlType.F16 or GgmlType.BF16))
        {
            throw new ArgumentException(
                $"A V cache of type {type} requires flash attention, which is disabled. Set FlashAttention to Auto or On, or ValueType to F16.", nameof(ValueType));
        }
    }

    private static void CheckType(GgmlType? type, string name)
    {
        if (type is { } value && !s_types.Contains(value))
        {
            throw new ArgumentOutOfRangeException(name, value, $"The type is not a valid KV cache type. Use one of {string.Join(", ", s_types)}.");
        }
    }
}
