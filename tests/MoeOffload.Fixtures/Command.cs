using System.Diagnostics;

namespace MoeOffload.Fixtures;

/// <summary>Runs a program to its end.</summary>
internal static class Command
{
    public static PeerResult Run(ProcessStartInfo start, TimeSpan limit)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        Task copy = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{start.FileName} {string.Join(' ', start.ArgumentList)} did not end within {limit}.");
        }

        copy.GetAwaiter().GetResult();
        return new PeerResult(process.ExitCode, output.ToArray(), errors.GetAwaiter().GetResult());
    }
}
