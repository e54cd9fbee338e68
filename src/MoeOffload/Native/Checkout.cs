namespace MoeOffload.Native;

/// <summary>
/// Finds the checkout of this project that a program was built in. Since code from it runs in the process, a directory that is merely
/// above the application's directory does not count, and neither does one that everybody can write to.
/// </summary>
internal static class Checkout
{
    private static readonly string[] s_marks = ["MoeOffload.sln", Path.Combine("native", "llama.cpp.lock")];

    /// <summary>Returns the directory with the native libraries of the checkout, or null if the program is not in a checkout.</summary>
    /// <param name="program">The program's directory.</param>
    /// <param name="runtimeIdentifier">The platform, such as <c>linux-x64</c>.</param>
    public static string? FindLibraries(string program, string runtimeIdentifier)
    {
        for (DirectoryInfo? at = new(program); at is not null; at = at.Parent)
        {
            if (Array.TrueForAll(s_marks, mark => File.Exists(Path.Combine(at.FullName, mark))))
            {
                string libraries = Path.Combine(at.FullName, "artifacts", "native", runtimeIdentifier);
                return CanEverybodyWrite(at.FullName) || CanEverybodyWrite(libraries) ? null : libraries;
            }
        }

        return null;
    }

    private static bool CanEverybodyWrite(string directory) =>
        !OperatingSystem.IsWindows() && Directory.Exists(directory) && (File.GetUnixFileMode(directory) & UnixFileMode.OtherWrite) != 0;
}
