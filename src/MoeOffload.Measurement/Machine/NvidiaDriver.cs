using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Measurement.Machine;

/// <summary>Reads information from NVIDIA's driver through its management library (NVML).</summary>
internal sealed unsafe class NvidiaDriver : IDisposable
{
    private const int LongestVersion = 80; // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

    private readonly nint _library;

    private NvidiaDriver(nint library) => _library = library;

    /// <summary>Opens the driver; null if there is none.</summary>
    public static NvidiaDriver? TryOpen()
    {
        string name = OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1";
        return NativeLibrary.TryLoad(name, out nint library)
            && NativeLibrary.TryGetExport(library, "nvmlInit_v2", out nint initialize)
            && ((delegate* unmanaged<int>)initialize)() == 0
            ? new NvidiaDriver(library)
            : null;
    }

    /// <summary>Gets the version of the driver; null if it is unknown.</summary>
    public string? ReadVersion()
    {
        byte* text = stackalloc byte[LongestVersion];
        return NativeLibrary.TryGetExport(_library, "nvmlSystemGetDriverVersion", out nint read)
            && ((delegate* unmanaged<byte*, uint, int>)read)(text, LongestVersion) == 0
            ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text))
            : null;
    }

    /// <summary>Gets the bytes in use on each GPU, including those of other processes; empty if they are unknown.</summary>
    public IReadOnlyList<long> ReadUsedBytes()
    {
        uint count;
        if (!NativeLibrary.TryGetExport(_library, "nvmlDeviceGetCount_v2", out nint getCount)
            || !NativeLibrary.TryGetExport(_library, "nvmlDeviceGetHandleByIndex_v2", out nint getDevice)
            || !NativeLibrary.TryGetExport(_library, "nvmlDeviceGetMemoryInfo", out nint getMemory)
            || ((delegate* unmanaged<uint*, int>)getCount)(&count) != 0)
        {
            return [];
        }

        var used = new List<long>();
        for (uint i = 0; i < count; i++)
        {
            void* device;
            Memory memory;
            if (((delegate* unmanaged<uint, void**, int>)getDevice)(i, &device) == 0
                && ((delegate* unmanaged<void*, Memory*, int>)getMemory)(device, &memory) == 0)
            {
                used.Add((long)memory.Used);
            }
        }

        return used;
    }

    public void Dispose()
    {
        if (NativeLibrary.TryGetExport(_library, "nvmlShutdown", out nint shutDown))
        {
            ((delegate* unmanaged<int>)shutDown)();
        }
    }

    // nvmlMemory_t.
    private readonly struct Memory
    {
        public readonly ulong Total;
        public readonly ulong Free;
        public readonly ulong Used;
    }
}
