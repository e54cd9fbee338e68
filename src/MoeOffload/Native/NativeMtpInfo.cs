namespace MoeOffload.Native;

/// <summary>Represents a model's properties for multi-token prediction.</summary>
/// <param name="LayerCount">The number of layers for multi-token prediction.</param>
/// <param name="Width">The number of floats in a hidden state.</param>
/// <param name="IsLoaded"><see langword="true"/> if the layers are loaded.</param>
/// <param name="IsComputable"><see langword="true"/> if llama.cpp can compute the layers.</param>
internal readonly record struct NativeMtpInfo(int LayerCount, int Width, bool IsLoaded, bool IsComputable);
