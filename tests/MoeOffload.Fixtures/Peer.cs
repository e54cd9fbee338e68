using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>llama.cpp's own tools, built from the same source on our very libraries.</summary>
public static class Peer
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Runs a tool to its end.</summary>
    /// <returns>What it wrote, as bytes, and its exit code.</returns>
    public static PeerResult Run(string tool, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(NativeBuild.Tool(tool), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        if (!process.WaitForExit(Limit))
        {
            process.Kill();
            throw new TimeoutException($"{tool} did not end within {Limit}.");
        }

        return new PeerResult(process.ExitCode, output.ToArray(), errors.GetAwaiter().GetResult());
    }
}
