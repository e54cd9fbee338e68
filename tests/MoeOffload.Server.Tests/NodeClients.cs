using System.ComponentModel;
using System.Diagnostics;
using MoeOffload.Fixtures;

namespace MoeOffload.Server.Tests;

/// <summary>Clients from npm, which node runs in a process of their own.</summary>
internal static class NodeClients
{
    private static readonly TimeSpan s_runLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_installLimit = TimeSpan.FromMinutes(5);

    /// <summary>Where the clients are.</summary>
    public static string Folder { get; } = Path.Combine(NativeBuild.Repository, "tests", "MoeOffload.Server.Clients");

    /// <summary>Installs the clients as the lock file has them, unless they are there.</summary>
    public static async Task InstallAsync()
    {
        var wanted = new FileInfo(Path.Combine(Folder, "package-lock.json"));
        var installed = new FileInfo(Path.Combine(Folder, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= wanted.LastWriteTimeUtc)
        {
            return;
        }

        (int code, string output) = await RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], s_installLimit);
        if (code != 0)
        {
            throw new InvalidOperationException($"The clients of {Folder} could not be installed: is the npm registry reached?\n{output}");
        }
    }

    /// <summary>Runs a client's tests.</summary>
    /// <returns>Its exit code, and what it wrote in TAP.</returns>
    public static Task<(int Code, string Output)> RunAsync(string client, params IReadOnlyList<string> arguments) =>
        RunAsync("node", ["--test-reporter=tap", $"{client}.mjs", .. arguments], s_runLimit);

    /// <summary>Runs a program in their folder.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string program, IReadOnlyList<string> arguments, TimeSpan limit)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Start(start);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var time = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(time.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {limit}.");
        }

        return (process.ExitCode, await output + await errors);
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception error)
        {
            throw new InvalidOperationException(
                $"{start.FileName} is missing, which the clients from npm need. Install Node.js 18 or newer: sudo apt-get install nodejs npm", error);
        }
    }
}
