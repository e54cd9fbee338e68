using System.Runtime.InteropServices;
using System.Text;

namespace System.IO;

/// <summary>Calls the functions of Linux and macOS for files that .NET calls itself since version 7.</summary>
internal static class UnixFile
{
    private const int CurrentDirectory = -100;
    private const uint ModeWanted = 2;

    // Of struct statx on Linux, which is the same on each architecture, and of struct stat on macOS.
    private const int LinuxModeOffset = 28;
    private const int MacModeOffset = 4;
    private const int StatusSize = 256;

    /// <summary>Reads the permissions of a file or directory, or returns null if there is none.</summary>
    public static UnixFileMode? ReadMode(string path)
    {
        byte[] status = new byte[StatusSize];
        bool isLinux = RuntimeInformation.IsOSPlatform(OSPlatform.Linux);
        int result = isLinux ? StatLinux(CurrentDirectory, path, 0, ModeWanted, status)
            : RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatMacX64(path, status)
            : StatMac(path, status);
        int mode = BitConverter.ToUInt16(status, isLinux ? LinuxModeOffset : MacModeOffset);
        return result == 0 ? (UnixFileMode)(mode & 0xFFF) : null;
    }

    /// <summary>Reads the target of a symbolic link, or returns null if a file is not one.</summary>
    public static string? ReadLink(string path)
    {
        byte[] target = new byte[4096];
        int length = (int)ReadLink(path, target, target.Length);
        return length < 0 ? null : Encoding.UTF8.GetString(target, 0, length);
    }

    /// <summary>Creates an empty file that has the permissions from the beginning, except for those that the process never gives.</summary>
    public static bool TryCreate(string path, UnixFileMode mode)
    {
        int descriptor = Create(path, (uint)mode);
        return descriptor >= 0 && Close(descriptor) == 0;
    }

    /// <summary>Creates a symbolic link.</summary>
    public static bool TryLink(string target, string path) => Link(target, path) == 0;

    [DllImport("libc", EntryPoint = "symlink")]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string target, [MarshalAs(UnmanagedType.LPUTF8Str)] string path);

    [DllImport("libc", EntryPoint = "statx")]
    private static extern int StatLinux(
        int directory, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "stat")]
    private static extern int StatMac([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "stat64")]
    private static extern int StatMacX64([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "readlink")]
    private static extern nint ReadLink([MarshalAs(UnmanagedType.LPUTF8Str)] string path, [Out] byte[] target, nint size);

    [DllImport("libc", EntryPoint = "creat")]
    private static extern int Create([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint mode);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}
