using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Measurement.Machine;

/// <summary>NVIDIA's driver, asked through its management library (NVML), which comes with it.</summary>
internal sealed unsafe class NvidiaDriver : IDisposable
{
    private const int LongestVersion = 80; // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

    private readonly nint _library;

    private NvidiaDriver(nint library) => _library = library;

    /// <summary>Asks for it; null where there is none.</summary>
    public static NvidiaDriver? TryOpen()
    {
        string name = OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1";
        return NativeLibrary.TryLoad(name, out nint library)
            && NativeLibrary.TryGetExport(library, "nvmlInit_v2", out nint initialize)
            && ((delegate* unmanaged<int>)initialize)() == 0
            ? new NvidiaDriver(library)
            : null;
    }

    /// <summary>Its version; null where it does not say.</summary>
    public string? ReadVersion()
    {
        byte* text = stackalloc byte[LongestVersion];
        return NativeLibrary.TryGetExport(_library, "nvmlSystemGetDriverVersion", out nint read)
            && ((delegate* unmanaged<byte*, uint, int>)read)(text, LongestVersion) == 0
            ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text))
            : null;
    }

    /// <summary>The bytes that each GPU has in use, those of other processes included; empty where the driver does not say.</summary>
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
