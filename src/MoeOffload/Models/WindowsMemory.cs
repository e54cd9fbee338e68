using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MoeOffload.Models;

/// <summary>Reads the memory that is free with Windows's <c>GlobalMemoryStatusEx</c>.</summary>
internal static partial class WindowsMemory
{
    /// <summary>Gets the physical memory that can be used without swapping, in bytes, or null if the system does not tell.</summary>
    [SupportedOSPlatform("windows")]
    public static unsafe long? Available()
    {
        var status = new Status { Length = (uint)sizeof(Status) };
        return GlobalMemoryStatusEx(ref status) ? (long)status.AvailablePhysical : null;
    }

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GlobalMemoryStatusEx(ref Status status);

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
