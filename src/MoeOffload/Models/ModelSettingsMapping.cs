using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>Maps <see cref="ModelOptions"/> to llama.cpp's parameters.</summary>
internal static class ModelSettingsMapping
{
    /// <summary>Maps validated options.</summary>
    /// <param name="options">The options.</param>
    /// <param name="devices">The devices that hold layers.</param>
    /// <exception cref="PlacementException">A device or buffer does not exist, or there are too many shares.</exception>
    /// <remarks>The experts that stay in the model's files are not among them.</remarks>
    public static ModelSettings Map(ModelOptions options, IReadOnlyList<NativeDevice> devices)
    {
        if (options.MainGpu is { } main && main >= Math.Max(devices.Count, 1))
        {
            throw new PlacementException(devices.Count switch
            {
                0 => $"MainGpu is {main}, but the model uses no device except the CPU. Leave MainGpu out.",
                1 => $"MainGpu is {main}, but the model uses one device. Use 0, or leave MainGpu out.",
                _ => $"MainGpu is {main}, but the model uses {devices.Count} devices. Use 0 to {devices.Count - 1}.",
            });
        }

        if (options.TensorSplit is { } shares && shares.Count > ModelSettings.MaxDevices)
        {
            throw new PlacementException($"TensorSplit has {shares.Count} shares; llama.cpp supports at most {ModelSettings.MaxDevices} devices.");
        }

        return new ModelSettings
        {
            Devices = devices,
            LoadMode = Map(options.LoadMode),
            GpuLayers = options.GpuLayers,
            SplitMode = options.SplitMode is { } split ? Map(split) : null,
            MainGpu = options.MainGpu,
            TensorSplit = options.TensorSplit ?? [],
            Rules = PlacementRules.ToNative(options.Placement, devices),
            Repack = options.Repack,
            PinnedHostMemory = options.PinnedHostMemory,
            LoadMtpLayers = options.LoadMtpLayers,
            ValidateTensors = options.ValidateTensors,
            MetadataOverrides = options.MetadataOverrides.ToDictionary(item => item.Key, item => item.Value.Value),
        };
    }

    private static NativeLoadMode Map(LoadMode mode) => mode switch
    {
        LoadMode.Mmap => NativeLoadMode.Mmap,
        LoadMode.Mlock => NativeLoadMode.Mlock,
        LoadMode.MmapMlock => NativeLoadMode.MmapMlock,
        LoadMode.DirectIo => NativeLoadMode.DirectIo,
        LoadMode.None => NativeLoadMode.None,
        _ => NativeLoadMode.Auto,
    };

    private static NativeSplitMode Map(SplitMode mode) => mode switch
    {
        SplitMode.None => NativeSplitMode.None,
        SplitMode.Row => NativeSplitMode.Row,
        SplitMode.Tensor => NativeSplitMode.Tensor,
        _ => NativeSplitMode.Layer,
    };
}
