using System.Diagnostics;
using System.Text;
using MoeOffload.Fixtures;

namespace MoeOffload.Package.Tests;

/// <summary>An application that was created from a template, and is running.</summary>
internal sealed class TemplateApplication : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _output = new();

    private TemplateApplication(Process process)
    {
        _process = process;
        _process.OutputDataReceived += Add;
        _process.ErrorDataReceived += Add;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it has written.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts an application.</summary>
    /// <param name="assembly">Its assembly.</param>
    /// <param name="arguments">The command line.</param>
    public static TemplateApplication Start(string assembly, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(assembly),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ROLL_FORWARD"] = "Major"; // a machine can lack the runtime of .NET 8
        return new TemplateApplication(Process.Start(start)!);
    }

    /// <summary>Starts an application, writes lines to its standard input, and waits until it ends.</summary>
    /// <param name="assembly">Its assembly.</param>
    /// <param name="lines">The lines.</param>
    public static PeerResult Run(string assembly, params string[] lines)
    {
        using TemplateApplication application = Start(assembly);
        foreach (string line in lines)
        {
            application._process.StandardInput.WriteLine(line);
        }

        application._process.StandardInput.Close();
        if (!application._process.WaitForExit(s_limit))
        {
            throw new TimeoutException($"{assembly} did not end within {s_limit}: {application.Output}");
        }

        application._process.WaitForExit(); // until all output is read
        return new PeerResult(application._process.ExitCode, Encoding.UTF8.GetBytes(application.Output), string.Empty);
    }

    /// <summary>Waits until a condition holds.</summary>
    /// <param name="condition">The condition.</param>
    /// <exception cref="InvalidOperationException">The application ended before, or the condition did not hold in time.</exception>
    public async Task WaitAsync(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(start) > s_limit)
            {
                throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[0]} {(_process.HasExited ? "ended" : "is not ready")}: {Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private void Add(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.AppendLine(line.Data);
        }
    }
}
