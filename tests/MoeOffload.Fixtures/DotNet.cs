using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>The <c>dotnet</c> command, started as a user would: nothing of the running build or test is handed on.</summary>
public static class DotNet
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    private static readonly string[] s_inherited = ["MSBUILD", "VSTEST", "TESTINGPLATFORM", "NUGET_PACKAGES", "MOE_", "DOTNET_HOST_PATH"];

    private static readonly string s_host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>Runs a command of the SDK, or a program given as its <c>.dll</c>.</summary>
    /// <param name="directory">The working directory.</param>
    /// <param name="arguments">The command line.</param>
    public static PeerResult Run(string directory, params IEnumerable<string> arguments) =>
        Run(directory, arguments, new Dictionary<string, string>());

    /// <summary>Runs it with further environment variables.</summary>
    public static PeerResult Run(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(s_host, arguments) { WorkingDirectory = directory };
        foreach (string name in start.Environment.Keys.Where(name => s_inherited.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToList())
        {
            start.Environment.Remove(name);
        }

        // No compiler or build server outlives the test.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["UseSharedCompilation"] = "false";
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Command.Run(start, s_limit);
    }
}
