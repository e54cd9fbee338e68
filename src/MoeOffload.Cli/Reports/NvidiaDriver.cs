using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Cli.Reports;

/// <summary>NVIDIA's driver, asked through its management library, which comes with it.</summary>
internal static unsafe class NvidiaDriver
{
    private const int LongestVersion = 80; // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

    /// <summary>The driver's version; null where there is none.</summary>
    public static string? TryReadVersion()
    {
        string library = OperatingSystem.IsWindows() ? "nvml.dll" : "libnvidia-ml.so.1";
        if (!NativeLibrary.TryLoad(library, out nint handle)
            || !NativeLibrary.TryGetExport(handle, "nvmlInit_v2", out nint initialize)
            || !NativeLibrary.TryGetExport(handle, "nvmlSystemGetDriverVersion", out nint read)
            || !NativeLibrary.TryGetExport(handle, "nvmlShutdown", out nint shutDown))
        {
            return null;
        }

        if (((delegate* unmanaged<int>)initialize)() != 0)
        {
            return null;
        }

        byte* text = stackalloc byte[LongestVersion];
        int status = ((delegate* unmanaged<byte*, uint, int>)read)(text, LongestVersion);
        ((delegate* unmanaged<int>)shutDown)();
        return status == 0 ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)) : null;
    }
}
