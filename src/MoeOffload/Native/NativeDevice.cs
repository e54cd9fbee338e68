using System.Text;
using MoeOffload.Inference;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A registered device. llama.cpp never takes one back, so it stays valid for the life of the process.</summary>
internal readonly unsafe struct NativeDevice
{
    private NativeDevice(ggml_backend_device* pointer)
    {
        Pointer = pointer;
        Name = Utf8.ToString(GgmlBackendApi.ggml_backend_dev_name(pointer));
        Description = Utf8.ToString(GgmlBackendApi.ggml_backend_dev_description(pointer));
        bool isRpc = Utf8.ToString(GgmlBackendApi.ggml_backend_reg_name(GgmlBackendApi.ggml_backend_dev_backend_reg(pointer))) == "RPC";
        Kind = GgmlBackendApi.ggml_backend_dev_type(pointer) switch
        {
            _ when isRpc => DeviceKind.Rpc,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU => DeviceKind.Cpu,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_ACCEL => DeviceKind.Accelerator,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_IGPU => DeviceKind.IntegratedGpu,
            _ => DeviceKind.Gpu,
        };
    }

    public ggml_backend_device* Pointer { get; }

    public string Name { get; }

    public string Description { get; }

    public DeviceKind Kind { get; }

    /// <summary>Whether it can hold layers: neither the CPU nor what works on the CPU's memory.</summary>
    public bool HoldsLayers => Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu or DeviceKind.Rpc;

    /// <summary>Whether the CPU can fill memory that the device reads directly, such as CUDA_Host.</summary>
    public bool HasPinnedMemory => GgmlBackendApi.ggml_backend_dev_host_buffer_type(Pointer) != null;

    /// <summary>All devices, in llama.cpp's order.</summary>
    public static List<NativeDevice> All()
    {
        List<NativeDevice> devices = [];
        for (nuint i = 0; i < GgmlBackendApi.ggml_backend_dev_count(); i++)
        {
            devices.Add(new NativeDevice(GgmlBackendApi.ggml_backend_dev_get(i)));
        }

        return devices;
    }

    /// <summary>The devices that a model with these options uses for its layers, in order.</summary>
    /// <remarks>
    /// As llama.cpp chooses: RPC devices first, then GPUs, then integrated GPUs where there is no other; but only the RPC servers that
    /// the options name, since llama.cpp also remembers those of other models in the process.
    /// </remarks>
    /// <exception cref="PlacementException">A named device is unknown, or a required one is missing.</exception>
    public static List<NativeDevice> Select(ModelOptions options)
    {
        List<NativeDevice> all = All();
        List<NativeDevice> selected = options.Devices is { } names ? ByName(all, names) : Default(all, options.RpcServers);
        Require(options.RequireDevice, selected, all);
        return selected;
    }

    /// <summary>Whether a buffer of this device lies in system memory even where it is no plain host buffer, as rearranged weights do.</summary>
    public static bool IsCpu(string deviceName) => deviceName is "" or "CPU";

    /// <summary>The RPC servers that these devices belong to.</summary>
    public static string[] ServersOf(IEnumerable<NativeDevice> devices) =>
        [.. devices.Where(device => device.Kind == DeviceKind.Rpc).Select(device => device.Description).Distinct()];

    /// <summary>How a message begins about a device that <see cref="ModelOptions.RequireDevice"/> asks for.</summary>
    public static string Wanted(string required) => required == ModelOptions.AnyAccelerator ? "An accelerator" : $"Device '{required}'";

    /// <summary>What is known of the device, with its memory as of now.</summary>
    public DeviceInfo Describe()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        ulong free = 0;
        ulong total = 0;
        string server = Kind == DeviceKind.Rpc ? Description : string.Empty;
        ggml_backend_device* pointer = Pointer;
        if (server.Length == 0)
        {
            moe_status status = ShimApi.moe_device_memory(pointer, &free, &total, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe($"The memory of device {Name} cannot be read", status, error));
            }
        }
        else
        {
            (free, total) = RemoteMemory(pointer, server);
        }

        // llama.cpp says of system memory that all of it is free.
        long available = Kind == DeviceKind.Cpu ? Math.Min((long)free, HostMemory.Available()) : (long)free;
        return new DeviceInfo(Name, Description, Kind, available, (long)total);
    }

    private static (ulong Free, ulong Total) RemoteMemory(ggml_backend_device* pointer, string server)
    {
        nint device = (nint)pointer;
        (ulong Free, ulong Total) result = default;
        if (!RpcServers.IsLost(server))
        {
            RpcServers.Run(
                [server],
                () =>
                {
                    ulong free = 0;
                    ulong total = 0;
                    ShimApi.moe_device_memory((ggml_backend_device*)device, &free, &total, null, 0);
                    result = (free, total);
                },
                out _);
        }

        return result;
    }

    private static List<NativeDevice> ByName(List<NativeDevice> all, IReadOnlyList<string> names)
    {
        List<NativeDevice> selected = [];
        foreach (string name in names)
        {
            int at = all.FindIndex(device => string.Equals(device.Name, name, StringComparison.OrdinalIgnoreCase));
            if (at < 0)
            {
                throw new PlacementException($"There is no device '{name}'. {Known(all)}");
            }

            if (!all[at].HoldsLayers)
            {
                throw new PlacementException(
                    $"Device '{name}' holds no layers. To run on the CPU alone set GpuLayers = 0; to keep tensors there use a placement rule.");
            }

            selected.Add(all[at]);
        }

        return selected;
    }

    private static List<NativeDevice> Default(List<NativeDevice> all, IReadOnlyList<string> servers)
    {
        List<NativeDevice> selected = [.. all.Where(device => device.Kind == DeviceKind.Rpc && servers.Contains(device.Description))];
        selected.AddRange(all.Where(device => device.Kind == DeviceKind.Gpu));
        if (!selected.Exists(device => device.Kind == DeviceKind.Gpu))
        {
            selected.AddRange(all.Where(device => device.Kind == DeviceKind.IntegratedGpu));
        }

        return selected;
    }

    private static void Require(string? required, List<NativeDevice> selected, List<NativeDevice> all)
    {
        if (required is null
            || (required == ModelOptions.AnyAccelerator && selected.Count > 0)
            || selected.Exists(device => string.Equals(device.Name, required, StringComparison.OrdinalIgnoreCase)))
        {
            return;
        }

        var message = new StringBuilder($"{Wanted(required)} is required, but the model would run without it. {Known(all)}");
        foreach (string reason in NativeRuntime.UnavailableBackends)
        {
            message.Append(" Not loaded: ").Append(reason).Append('.');
        }

        throw new PlacementException(message.ToString());
    }

    private static string Known(List<NativeDevice> all) =>
        $"Known devices: {string.Join(", ", all.Select(device => $"{device.Name} ({device.Description})"))}.";
}
