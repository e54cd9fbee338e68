using System.Runtime.InteropServices;

namespace MoeOffload.Fixtures;

/// <summary>Finds the files that <c>./build.sh native --peers</c> has built.</summary>
public static class NativeBuild
{
    private static readonly Lazy<string> s_found = new(Find);

    /// <summary>The folder with our libraries.</summary>
    public static string Directory => s_found.Value;

    /// <summary>The root of the repository.</summary>
    public static string Repository => Path.GetFullPath(Path.Combine(Directory, "..", "..", ".."));

    /// <summary>The folder with a build of llama.cpp under upstream's own file names and SONAMEs.</summary>
    public static string Upstream => Path.Combine(Directory, "upstream");

    /// <summary>The file name of one of our libraries, such as <c>ggml-base</c>.</summary>
    public static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"moe-{library}.dll" : $"libmoe-{library}.{(OperatingSystem.IsMacOS() ? "dylib" : "so")}";

    /// <summary>The file name of a backend, such as <c>cpu</c>; ggml has the same suffix for them on macOS as on Linux.</summary>
    public static string BackendFileName(string backend) =>
        OperatingSystem.IsWindows() ? FileName($"ggml-{backend}") : $"libmoe-ggml-{backend}.so";

    /// <summary>One of llama.cpp's own tools.</summary>
    public static string Tool(string name) =>
        Path.Combine(Directory, "tools", OperatingSystem.IsWindows() ? name + ".exe" : name);

    private static string Find()
    {
        string system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
        string rid = $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string candidate = Path.Combine(at.FullName, "artifacts", "native", rid);
            if (System.IO.Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new DirectoryNotFoundException("artifacts/native was not found: run ./build.sh native --peers first.");
    }
}
