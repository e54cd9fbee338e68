using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>llama.cpp's own tools, built from the same source on our very libraries.</summary>
public static class Peer
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Runs a tool to its end.</summary>
    /// <returns>What it wrote, as bytes, and its exit code.</returns>
    public static PeerResult Run(string tool, params IEnumerable<string> arguments) =>
        RunFile(NativeBuild.Tool(tool), arguments);

    /// <summary>Runs any program to its end.</summary>
    /// <inheritdoc cref="Run" path="/returns"/>
    public static PeerResult RunFile(string path, params IEnumerable<string> arguments) => Command.Run(new ProcessStartInfo(path, arguments), s_limit);
}
