using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MoeOffload.Models;

/// <summary>Reads the memory that is free with Windows's <c>GlobalMemoryStatusEx</c>.</summary>
internal static unsafe class WindowsMemory
{
    /// <summary>Gets the physical memory that can be used without swapping, in bytes, or null if the system does not tell.</summary>
    [SupportedOSPlatform("windows")]
    public static long? Available()
    {
        var status = new Status { Length = (uint)sizeof(Status) };
        return GlobalMemoryStatusEx(&status) != 0 ? (long)status.AvailablePhysical : null;
    }

    /// <summary>Gets the size of the physical memory in bytes, or null if the system does not tell.</summary>
    [SupportedOSPlatform("windows")]
    public static long? Total()
    {
        var status = new Status { Length = (uint)sizeof(Status) };
        return GlobalMemoryStatusEx(&status) != 0 ? (long)status.TotalPhysical : null;
    }

    [DllImport("kernel32")]
    private static extern int GlobalMemoryStatusEx(Status* status);

    [StructLayout(LayoutKind.Sequential)]
    private struct Status
    {
        public uint Length;
        public uint Load;
        public ulong TotalPhysical;
        public ulong AvailablePhysical;
        public ulong TotalCommit;
        public ulong AvailableCommit;
        public ulong TotalAddressSpace;
        public ulong AvailableAddressSpace;
        public ulong AvailableExtended;
    }
}
