using MoeOffload.Gguf;

namespace MoeOffload.Native;

/// <summary>Represents the settings that determine how a context stores keys and values.</summary>
/// <param name="KeyType">The type of keys.</param>
/// <param name="ValueType">The type of values.</param>
/// <param name="FullSizeSwa">Whether sliding windows keep all positions.</param>
/// <param name="Rope">The parameters of the rotary position embedding, as text.</param>
internal sealed record CacheFormat(GgmlType KeyType, GgmlType ValueType, bool FullSizeSwa, string Rope);
