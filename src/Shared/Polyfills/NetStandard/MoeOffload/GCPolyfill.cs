using System.Runtime.InteropServices;
using System.Text;
using MoeOffload.Models;

namespace System;

/// <summary>Provides what <see cref="GC"/> has since .NET Core 3.</summary>
internal static unsafe class GCPolyfill
{
    extension(GC)
    {
        /// <summary>Reads the size of the memory.</summary>
        public static GCMemoryInfo GetGCMemoryInfo() =>
            OperatingSystem.IsLinux() ? ReadLinux("/")
            : OperatingSystem.IsWindows() ? new GCMemoryInfo(WindowsMemory.Total() ?? long.MaxValue, 0)
            : ReadMac();
    }

    private static GCMemoryInfo ReadLinux(string root)
    {
        long size = HostMemory.ReadField(Path.Join(root, "proc/meminfo"), "MemTotal:") is { } kibibytes ? kibibytes * 1024 : long.MaxValue;
        return new GCMemoryInfo(Math.Min(size, ControlGroups.MemoryLimit(root) ?? long.MaxValue), 0);
    }

    // What macOS counts as free excludes the cache of files, so the size is the better answer.
    private static GCMemoryInfo ReadMac()
    {
        long size;
        nuint length = sizeof(long);
        fixed (byte* name = Encoding.UTF8.GetBytes("hw.memsize\0"))
        {
            return new GCMemoryInfo(SystemControl(name, &size, &length, null, 0) == 0 ? size : long.MaxValue, 0);
        }
    }

    [DllImport("libc", EntryPoint = "sysctlbyname")]
    private static extern int SystemControl(byte* name, void* old, nuint* oldLength, void* value, nuint length);
}
