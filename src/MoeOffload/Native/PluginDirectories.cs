using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace MoeOffload.Native;

/// <summary>
/// Finds the directories of a plugin: assemblies that a program of another directory has loaded, as game engines, editors, spreadsheets and
/// shells do.
/// </summary>
internal static class PluginDirectories
{
    private static readonly Assembly s_own = typeof(PluginDirectories).Assembly;

    /// <summary>
    /// Returns the directories of this assembly and of those that were loaded together with it, except for that of the program. There are none
    /// if this assembly is a part of the program, or was not loaded from a file.
    /// </summary>
    public static IEnumerable<string> Find()
    {
        string program = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return (Context?.Assemblies ?? []).Prepend(s_own)
            .Select(DirectoryOf)
            .OfType<string>()
            .Where(directory => !NativeLibraries.PathComparer.Equals(directory, program))
            .Distinct(NativeLibraries.PathComparer);
    }

    /// <summary>
    /// Asks the program's own load context for a library, and returns the directory in which it found it. This is the only one who knows the
    /// place if the program has loaded the assemblies from memory, as some do so that they can replace the files.
    /// </summary>
    /// <param name="library">The name of the library.</param>
    public static string? FindByContext(string library)
    {
        // The library stays loaded: ggml cannot be loaded a second time after it was unloaded.
        if (Context is null || !NativeLibrary.TryLoad(library, s_own, DllImportSearchPath.AssemblyDirectory, out _))
        {
            return null;
        }

        using Process own = Process.GetCurrentProcess();
        return own.Modules.Cast<ProcessModule>()
            .Select(module => module.FileName)
            .Where(file => Path.GetFileNameWithoutExtension(file) == library)
            .Select(Path.GetDirectoryName)
            .FirstOrDefault();
    }

    private static AssemblyLoadContext? Context =>
        AssemblyLoadContext.GetLoadContext(s_own) is { } context && context != AssemblyLoadContext.Default ? context : null;

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An assembly within another file has no location, and then is a part of the program.")]
    private static string? DirectoryOf(Assembly assembly) =>
        assembly.IsDynamic || assembly.Location.Length == 0 ? null : Path.GetDirectoryName(assembly.Location);
}
