using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents how a projector is loaded.</summary>
/// <param name="Path">The file.</param>
/// <param name="Device">The device that computes, or <see langword="null"/> for the CPU.</param>
/// <param name="Threads">The number of threads on the CPU.</param>
/// <param name="MaxImageTokens">The maximum number of tokens of an image whose size decides on it, or 0 for the projector's own limit.</param>
internal sealed record ProjectorSettings(string Path, NativeDevice? Device, int Threads, int MaxImageTokens)
{
    /// <summary>Converts the settings.</summary>
    public unsafe moe_projector_options ToNative() => new()
    {
        device = Device is { } device ? device.Pointer : null,
        n_threads = Threads,
        max_image_tokens = MaxImageTokens,
    };
}
