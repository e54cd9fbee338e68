using System.Diagnostics;
using System.Text.Json.Nodes;
using MoeOffload.Fixtures;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>Runs the command as a separate process with an empty home directory.</summary>
internal sealed class Moe : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly string[] s_inherited = ["MOE_", "SHIMMY_", "HF_", "HUGGINGFACE_", "OLLAMA_", "XDG_", "TERM", "NO_COLOR"];

    private readonly TemporaryDirectory _home = new();

    /// <summary>Variables that it gets.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    /// <summary>The home directory, which is also the working directory.</summary>
    public TemporaryDirectory Home => _home;

    /// <summary>Runs it to its end.</summary>
    public MoeResult Run(params IEnumerable<string> arguments) => Run(string.Empty, arguments);

    /// <summary>Runs it to its end with something on standard input.</summary>
    public MoeResult Run(string input, IEnumerable<string> arguments)
    {
        using MoeProcess process = Start(arguments);
        process.Process.StandardInput.Write(input);
        process.Process.StandardInput.Close();
        return process.WaitForEnd(s_limit);
    }

    /// <summary>Runs it to its end, and reads its report.</summary>
    public JsonNode Report(params IEnumerable<string> arguments)
    {
        MoeResult result = Run([.. arguments, "--json"]);
        return result.Code == 0 ? JsonNode.Parse(result.Output)! : throw new InvalidOperationException(result.ToString());
    }

    /// <summary>Starts it.</summary>
    public MoeProcess Start(params IEnumerable<string> arguments)
    {
        string[] command = [System.Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "moe.dll"), .. arguments];

        // A process that a shell starts in the background ignores Ctrl-C, and so would the processes that the tests start.
        if (OperatingSystem.IsLinux())
        {
            command = ["env", "--default-signal=INT", .. command];
        }

        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = _home.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(name => s_inherited.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOME"] = _home.Path;
        start.Environment["XDG_CONFIG_HOME"] = _home["config"];
        start.Environment["MOE_NATIVE_DIR"] = NativeBuild.Directory;
        start.Environment["MOE_THREADS"] = "1";
        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        return new MoeProcess(Process.Start(start)!);
    }

    public void Dispose() => _home.Dispose();
}
