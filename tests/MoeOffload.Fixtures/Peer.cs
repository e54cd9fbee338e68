using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>llama.cpp's own tools, built from the same source on our very libraries.</summary>
public static class Peer
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    /// <summary>Runs a tool to its end.</summary>
    /// <returns>The output as bytes, and the exit code.</returns>
    public static PeerResult Run(string tool, params IEnumerable<string> arguments) =>
        RunFile(NativeBuild.Tool(tool), arguments);

    /// <summary>Runs any program to its end.</summary>
    /// <inheritdoc cref="Run" path="/returns"/>
    public static PeerResult RunFile(string path, params IEnumerable<string> arguments) => RunFile(path, arguments, new Dictionary<string, string>());

    /// <summary>Runs it with further environment variables.</summary>
    public static PeerResult RunFile(string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(path, arguments);
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Command.Run(start, s_limit);
    }
}
