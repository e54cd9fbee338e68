namespace MoeOffload.Native;

/// <summary>Represents what a model has for multi-token prediction.</summary>
/// <param name="LayerCount">Its layers for it.</param>
/// <param name="Width">Floats of one hidden state.</param>
/// <param name="IsLoaded">Whether the layers are loaded.</param>
/// <param name="IsComputable">Whether llama.cpp can compute them.</param>
internal readonly record struct NativeMtpInfo(int LayerCount, int Width, bool IsLoaded, bool IsComputable);
