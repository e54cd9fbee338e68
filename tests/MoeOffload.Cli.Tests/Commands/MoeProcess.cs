using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace MoeOffload.Cli.Tests.Commands;

/// <summary>A run of the command that goes on.</summary>
internal sealed partial class MoeProcess : IDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Task<string> _errors;
    private readonly Task _reading;

    public MoeProcess(Process process)
    {
        Process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync(process.StandardOutput);
    }

    public Process Process { get; }

    /// <summary>Waits until it has written something.</summary>
    public async Task<string> WaitForOutputAsync(Func<string, bool> isEnough)
    {
        for (int i = 0; i < 1200; i++)
        {
            string output;
            lock (_output)
            {
                output = _output.ToString();
            }

            if (isEnough(output))
            {
                return output;
            }

            if (Process.HasExited)
            {
                break;
            }

            await Task.Delay(50);
        }

        if (!Process.HasExited)
        {
            Process.Kill();
        }

        throw new InvalidOperationException($"It never wrote what was waited for: {WaitForEnd(TimeSpan.FromSeconds(10))}");
    }

    /// <summary>Sends a signal, as Ctrl-C and a service manager do.</summary>
    public void Signal(int signal)
    {
        if (kill(Process.Id, signal) != 0)
        {
            throw new InvalidOperationException("The signal could not be sent.");
        }
    }

    public MoeResult WaitForEnd(TimeSpan limit)
    {
        if (!Process.WaitForExit(limit))
        {
            Process.Kill();
            throw new TimeoutException($"moe did not end within {limit}: {_output}");
        }

        _reading.GetAwaiter().GetResult();
        return new MoeResult(Process.ExitCode, _output.ToString(), _errors.GetAwaiter().GetResult());
    }

    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        Process.Dispose();
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);

    private async Task ReadAsync(StreamReader reader)
    {
        char[] buffer = new char[4096];
        int count;
        while ((count = await reader.ReadAsync(buffer)) > 0)
        {
            lock (_output)
            {
                _output.Append(buffer, 0, count);
            }
        }
    }
}
