using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>The built <c>moe serve</c> on loopback, as a process of its own.</summary>
public sealed class MoeServer : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private MoeServer(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Starts a server with a model, and waits until it is loaded.</summary>
    /// <param name="model">The model's file.</param>
    /// <param name="arguments">Further arguments of <c>moe serve</c>.</param>
    public static MoeServer Start(string model, params IEnumerable<string> arguments)
    {
        int port = Loopback.FreePort();
        string command = Path.Combine(NativeBuild.Repository, "src", "MoeOffload.Cli", "bin", "Release", "net10.0", "moe.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", command, "serve", model, "--bind", $"127.0.0.1:{port}", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var loaded = new ManualResetEventSlim();
        var lines = new List<string>();
        Process process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => lines.Add(line.Data ?? string.Empty);
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null || line.Data.StartsWith("Loaded", StringComparison.Ordinal))
            {
                loaded.Set();
            }
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        if (loaded.Wait(s_limit) && !process.WaitForExit(TimeSpan.Zero))
        {
            return new MoeServer(process, new Uri($"http://127.0.0.1:{port}"));
        }

        process.Kill();
        process.Dispose();
        throw new InvalidOperationException($"moe serve did not load {model}: {string.Join(Environment.NewLine, lines)}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
