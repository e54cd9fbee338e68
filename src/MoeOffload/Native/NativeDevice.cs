using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a registered device. llama.cpp never removes one, so it remains valid for the life of the process.</summary>
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
            _ when isRpc => NativeDeviceKind.Rpc,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU => NativeDeviceKind.Cpu,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_ACCEL => NativeDeviceKind.Accelerator,
            ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_IGPU => NativeDeviceKind.IntegratedGpu,
            _ => NativeDeviceKind.Gpu,
        };
    }

    public ggml_backend_device* Pointer { get; }

    public string Name { get; }

    public string Description { get; }

    public NativeDeviceKind Kind { get; }

    /// <summary>Gets a value that indicates whether the device can hold layers. The CPU and accelerators on system memory cannot.</summary>
    public bool HoldsLayers => Kind is NativeDeviceKind.Gpu or NativeDeviceKind.IntegratedGpu or NativeDeviceKind.Rpc;

    /// <summary>Gets a value that indicates whether the device can directly read memory that the CPU writes, such as CUDA_Host.</summary>
    public bool HasPinnedMemory => GgmlBackendApi.ggml_backend_dev_host_buffer_type(Pointer) != null;

    /// <summary>Gets all devices, in llama.cpp's order.</summary>
    public static List<NativeDevice> All()
    {
        List<NativeDevice> devices = [];
        for (nuint i = 0; i < GgmlBackendApi.ggml_backend_dev_count(); i++)
        {
            ggml_backend_device* device = GgmlBackendApi.ggml_backend_dev_get(i);

            // The device that computes experts in files is no device that an option could name.
            if (GgmlBackendApi.ggml_backend_dev_type(device) != ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_META)
            {
                devices.Add(new NativeDevice(device));
            }
        }

        return devices;
    }

    /// <summary>Determines whether a device is the CPU, whose buffers are in system memory even if they are not plain host buffers, such as those of rearranged weights.</summary>
    public static bool IsCpu(string deviceName) => deviceName is "" or "CPU";

    /// <summary>Gets the RPC servers that devices belong to.</summary>
    public static string[] ServersOf(IEnumerable<NativeDevice> devices) =>
        [.. devices.Where(device => device.Kind == NativeDeviceKind.Rpc).Select(device => device.Description).Distinct()];

    /// <summary>Reads the free and total memory of the device, in bytes, or zeros if the device does not report them.</summary>
    /// <exception cref="InferenceException">The device failed.</exception>
    public (long Free, long Total) ReadMemory()
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        ulong free = 0;
        ulong total = 0;
        ggml_backend_device* pointer = Pointer;
        if (Kind == NativeDeviceKind.Rpc)
        {
            (free, total) = RemoteMemory(pointer, Description);
        }
        else
        {
            moe_status status = ShimApi.moe_device_memory(pointer, &free, &total, error, NativeError.BufferSize);
            if (status != moe_status.MOE_STATUS_OK)
            {
                throw new InferenceException(NativeError.Describe($"The memory of device {Name} cannot be read", status, error));
            }
        }

        return ((long)free, (long)total);
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
}
