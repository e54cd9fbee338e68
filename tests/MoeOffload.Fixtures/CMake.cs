using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>Scripts of the native build.</summary>
public static class CMake
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    /// <summary>Runs a script below <c>native/cmake</c>.</summary>
    /// <param name="script">Its file name.</param>
    /// <param name="definitions">Variables, as <c>NAME=VALUE</c>.</param>
    public static PeerResult Run(string script, params IEnumerable<string> definitions) => Command.Run(
        new ProcessStartInfo("cmake", [.. definitions.Select(definition => $"-D{definition}"), "-P", Path.Combine(NativeBuild.Repository, "native", "cmake", script)]),
        s_limit);
}
