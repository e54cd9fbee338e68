using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Finds the native libraries, and binds the generated signatures to them.</summary>
internal static class NativeLibraries
{
    private const int RtldNow = 2;
    private const int RtldDeepBind = 8;

    /// <summary>Gets the runtime identifier that the directories of the native libraries are named after, such as <c>linux-x64</c>.</summary>
    public static string RuntimeIdentifier { get; } = PortableIdentifier();

    /// <summary>Gets the comparer for paths.</summary>
    public static StringComparer PathComparer => OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    private static string Prefix => OperatingSystem.IsWindows() ? "moe-" : "libmoe-";

    private static string Suffix =>
        OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so";

    // ggml also uses .so for its loadable backends on macOS.
    private static string BackendSuffix => OperatingSystem.IsWindows() ? ".dll" : ".so";

    /// <summary>Returns the directories that may hold the libraries, in the order in which they are tried.</summary>
    /// <param name="explicitDirectory">The directory that an option specifies, or <see langword="null"/> for those of the application.</param>
    /// <remarks>
    /// A plugin's libraries are beside its assemblies, and not in the directory of the program that loads it. They come first, because they
    /// have the version of this assembly. Libraries of a checkout are used only by programs that were built in it, and only if neither the
    /// application nor the plugin has libraries of its own.
    /// </remarks>
    public static List<string> SearchDirectories(string? explicitDirectory)
    {
        if (explicitDirectory is not null)
        {
            return [Path.GetFullPath(explicitDirectory)];
        }

        List<string> directories = [.. PluginDirectories.Find().SelectMany(WithPackageLayout)];
        if (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string known)
        {
            directories.AddRange(known.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries));
        }

        directories.AddRange(WithPackageLayout(AppContext.BaseDirectory));
        if (!directories.Exists(HoldsShim))
        {
            if (PluginDirectories.FindByContext($"{Prefix}shim") is { } resolved)
            {
                directories.Insert(0, resolved);
            }
            else if (CheckoutLibraries() is { } built)
            {
                directories.Add(built);
            }
        }

        return [.. directories.Select(Path.TrimEndingDirectorySeparator).Distinct(PathComparer)];
    }

    /// <summary>Finds the first directory that contains the shim.</summary>
    /// <exception cref="NativeLibraryException">No directory contains it. The message lists the directories.</exception>
    public static string Find(List<string> directories)
    {
        return directories.Find(HoldsShim)
            ?? throw new NativeLibraryException(
                $"{FileName("shim")} was not found. {Remedy()} Tried: {string.Join(", ", directories)}");
    }

    // The layout of an application, and that of a package.
    private static string[] WithPackageLayout(string directory) => [directory, Path.Combine(directory, "runtimes", RuntimeIdentifier, "native")];

    private static string? CheckoutLibraries() => PluginDirectories.Find().Append(AppContext.BaseDirectory)
        .Select(directory => Checkout.FindLibraries(directory, RuntimeIdentifier))
        .OfType<string>()
        .FirstOrDefault();

    // The libraries can only be built in a checkout.
    private static string Remedy() => CheckoutLibraries() is null
        ? $"Reference the package MoeOffload.Native.Cpu in the version of MoeOffload, {Version}, or set ModelOptions.NativeLibraryDirectory."
        : "Build the native libraries with ./build.sh native, or set ModelOptions.NativeLibraryDirectory.";

    private static string Version => typeof(NativeLibraries).Assembly.GetName().Version!.ToString(3);

    private static bool HoldsShim(string directory) => File.Exists(Path.Combine(directory, FileName("shim")));

    /// <summary>Finds the backend libraries in directories. The name is the part between <c>moe-ggml-</c> and the suffix.</summary>
    public static IEnumerable<(string Name, string Path)> Backends(IEnumerable<string> directories)
    {
        string start = Prefix + "ggml-";
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (string directory in directories.Where(Directory.Exists))
        {
            foreach (string path in Directory.EnumerateFiles(directory, start + "*" + BackendSuffix).Order(StringComparer.Ordinal))
            {
                string name = Path.GetFileName(path)[start.Length..^BackendSuffix.Length];
                if (name != "base" && seen.Add(name))
                {
                    yield return (name, path);
                }
            }
        }
    }

    /// <summary>Loads the core libraries from a directory and binds all generated signatures to them.</summary>
    /// <exception cref="NativeLibraryException">A library is missing or cannot be loaded.</exception>
    public static void Bind(string directory)
    {
        // The shim is loaded first, so that its dependencies are found next to it and bound to this project's copies.
        var handles = new Dictionary<string, nint>(StringComparer.Ordinal);
        try
        {
            foreach (string library in (ReadOnlySpan<string>)["shim", "llama", "ggml", "ggml-base"])
            {
                handles["moe-" + library] = Open(Path.Combine(directory, FileName(library)));
            }
        }
        catch (NativeLibraryException)
        {
            foreach (nint handle in handles.Values)
            {
                NativeLibrary.Free(handle);
            }

            throw;
        }

        nint shim = handles["moe-shim"];
        NativeLibrary.SetDllImportResolver(
            typeof(NativeLibraries).Assembly,
            (name, _, _) => handles.GetValueOrDefault(name));
        AbortWhenSet = NativeLibrary.GetExport(shim, nameof(ShimApi.moe_abort_when_set));
        CountExperts = NativeLibrary.GetExport(shim, nameof(ShimApi.moe_count_experts));
    }

    /// <summary>Gets the address of the shim's abort callback, which reads a flag and never enters managed code.</summary>
    public static nint AbortWhenSet { get; private set; }

    /// <summary>Gets the address of the shim's callback that counts in an <see cref="ExpertCounter"/>, and never enters managed code.</summary>
    public static nint CountExperts { get; private set; }

    private static string FileName(string library) => Prefix + library + Suffix;

    private static nint Open(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return LoadElsewhere(path);
        }

        // With deep binding, the libraries find their own symbols first even if another llama.cpp was loaded globally.
        nint library = DlOpen(path, RtldNow | RtldDeepBind);
        return library != 0
            ? library
            : throw new NativeLibraryException($"{path} could not be loaded: {Marshal.PtrToStringUTF8(DlError())}");
    }

    // Windows and macOS bind a library to others by their names, so other copies of llama.cpp do not matter.
    private static nint LoadElsewhere(string path)
    {
        try
        {
            return NativeLibrary.Load(LongPath.ForNativeCode(path));
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw new NativeLibraryException(
                $"{path} could not be loaded: it is damaged, built for another system, or a library that it needs is missing. {exception.Message}", exception);
        }
    }

    private static unsafe nint DlOpen(string path, int flags)
    {
        fixed (byte* terminated = Utf8.ToTerminated(path, "A library path"))
        {
            return DlOpen(terminated, flags);
        }
    }

    [DllImport("libc.so.6", EntryPoint = "dlopen")]
    private static extern unsafe nint DlOpen(byte* path, int flags);

    [DllImport("libc.so.6", EntryPoint = "dlerror")]
    private static extern nint DlError();

    private static string PortableIdentifier()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string architecture = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 => "arm64",
            Architecture other => other.ToString().ToLowerInvariant(),
        };
        return $"{system}-{architecture}";
    }
}
