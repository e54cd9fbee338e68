using System.Diagnostics;
using System.Globalization;

namespace MoeOffload.Benchmarks;

/// <summary>Represents another program that uses a core, beside which is measured. It counts what it has done.</summary>
internal sealed class BusyProcess : IDisposable
{
    private readonly Process _process;

    public BusyProcess()
    {
        ProcessStartInfo start = Child.Describe("busy");
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start)!;
    }

    /// <summary>Runs in the child process: counts until the parent has ended, and prints the count for each line that it reads.</summary>
    public static void Count()
    {
        long count = 0;
        new Thread(() =>
        {
            while (Console.In.ReadLine() is not null)
            {
                Console.WriteLine(Volatile.Read(ref count).ToString(CultureInfo.InvariantCulture));
            }

            Environment.Exit(0);
        }).Start();
        while (true)
        {
            Volatile.Write(ref count, count + 1);
        }
    }

    /// <summary>Measures how much processes do in a second while an action is performed, all together.</summary>
    public static double Measure(IReadOnlyList<BusyProcess> processes, Action action)
    {
        long before = processes.Sum(process => process.Read());
        long start = Stopwatch.GetTimestamp();
        action();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (processes.Sum(process => process.Read()) - before) / seconds;
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private long Read()
    {
        _process.StandardInput.WriteLine();
        return long.Parse(_process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
    }
}
