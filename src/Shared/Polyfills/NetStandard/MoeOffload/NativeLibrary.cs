using System.Reflection;

namespace System.Runtime.InteropServices;

/// <summary>Loads native libraries, like the class of .NET Core 3: the members that this library needs.</summary>
internal static unsafe class NativeLibrary
{
    private const int RtldNow = 2;

    /// <summary>Loads a library, whose dependencies are also found in its directory.</summary>
    /// <param name="path">The full path.</param>
    /// <exception cref="DllNotFoundException">The library could not be loaded.</exception>
    public static nint Load(string path)
    {
        nint handle = IsWindows ? Kernel32.LoadLibraryEx(path, 0, Kernel32.AlteredSearchPath)
            : IsMac ? MacLibrary.Open(path, RtldNow)
            : LinuxLibrary.Open(path, RtldNow);
        return handle != 0
            ? handle
            : throw new DllNotFoundException(IsWindows
                ? $"Windows error {Marshal.GetLastWin32Error()}."
                : Marshal.PtrToStringUTF8(IsMac ? MacLibrary.Error() : LinuxLibrary.Error()));
    }

    public static bool TryLoad(string name, Assembly assembly, DllImportSearchPath? searchPath, out nint handle)
    {
        handle = 0;
        return false;
    }

    public static void Free(nint handle) =>
        _ = IsWindows ? Kernel32.FreeLibrary(handle) : IsMac ? MacLibrary.Close(handle) : LinuxLibrary.Close(handle);

    /// <summary>Gets the address of a function.</summary>
    /// <exception cref="EntryPointNotFoundException">The library does not export it.</exception>
    public static nint GetExport(nint handle, string name)
    {
        nint address = IsWindows ? Kernel32.GetProcAddress(handle, name)
            : IsMac ? MacLibrary.Symbol(handle, name)
            : LinuxLibrary.Symbol(handle, name);
        return address != 0 ? address : throw new EntryPointNotFoundException(name);
    }

    /// <summary>
    /// Does nothing: these runtimes have no resolvers. They look for <c>moe-llama</c> under the name <c>libmoe-llama.so</c> or
    /// <c>moe-llama.dll</c>, which is the name of a library that is already loaded, so the system returns that one.
    /// </summary>
    public static void SetDllImportResolver(Assembly assembly, Func<string, Assembly, DllImportSearchPath?, nint> resolver)
    {
    }

    private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    private static bool IsMac => RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

    private static class Kernel32
    {
        public const uint AlteredSearchPath = 8;

        [DllImport("kernel32", EntryPoint = "LoadLibraryExW", CharSet = CharSet.Unicode, SetLastError = true)]
        public static extern nint LoadLibraryEx(string path, nint reserved, uint flags);

        [DllImport("kernel32")]
        public static extern int FreeLibrary(nint library);

        [DllImport("kernel32", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
        public static extern nint GetProcAddress(nint library, string name);
    }

    // Mono adds neither the version of a library to its name nor looks for the function elsewhere.
    private static class LinuxLibrary
    {
        [DllImport("libc.so.6", EntryPoint = "dlopen")]
        public static extern nint Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc.so.6", EntryPoint = "dlerror")]
        public static extern nint Error();

        [DllImport("libc.so.6", EntryPoint = "dlclose")]
        public static extern int Close(nint library);

        [DllImport("libc.so.6", EntryPoint = "dlsym")]
        public static extern nint Symbol(nint library, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);
    }

    private static class MacLibrary
    {
        [DllImport("libSystem.dylib", EntryPoint = "dlopen")]
        public static extern nint Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libSystem.dylib", EntryPoint = "dlerror")]
        public static extern nint Error();

        [DllImport("libSystem.dylib", EntryPoint = "dlclose")]
        public static extern int Close(nint library);

        [DllImport("libSystem.dylib", EntryPoint = "dlsym")]
        public static extern nint Symbol(nint library, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);
    }
}
