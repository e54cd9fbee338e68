using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Measures how far plans are from the truth, keeps the samples in <c>docs/planning</c>, and writes the tables of <c>docs/planning.md</c>.</summary>
internal static class PlanCommand
{
    /// <summary>Measures all cases, or those of one kind, and keeps the samples of the others.</summary>
    /// <param name="kinds">The kinds: <c>allocator</c>, <c>system</c>, or none for all.</param>
    public static int Run(string[] kinds)
    {
        if (kinds.Except(["allocator", "system"]).Any())
        {
            Console.Error.WriteLine("usage: bench plan [allocator] [system]");
            return 2;
        }

        if (kinds.Length == 0 || kinds.Contains("system"))
        {
            PlanSample.Write("system.jsonl", Enumerable.Range(0, SystemCases.Count).SelectMany(MeasureInChild));
        }

        if (kinds.Length == 0 || kinds.Contains("allocator"))
        {
            PlanSample.Write("allocator.jsonl", MeasureAllocator());
        }

        string tables = PlanTable.Make(PlanSample.Read<PlanSample>("allocator.jsonl"), PlanSample.Read<SystemSample>("system.jsonl"));
        PlanTable.Write(tables);
        Console.Write(tables);
        return 0;
    }

    private static List<PlanSample> MeasureAllocator()
    {
        using var devices = new PlanDevices(PlanCases.All.Max(one => one.Devices));
        var measurement = new PlanMeasurement(devices);
        var samples = new List<PlanSample>();
        foreach (PlanCase one in PlanCases.All)
        {
            samples.Add(measurement.Measure(one));
            if (samples.Count % 50 == 0)
            {
                Console.Error.WriteLine($"{samples.Count} of {PlanCases.All.Count}");
            }
        }

        return samples;
    }

    /// <summary>Measures a case of resident memory, and writes its samples as JSON.</summary>
    public static void MeasureSystem(int index) => Console.Write(JsonSerializer.Serialize(SystemCases.Measure(index)));

    private static IReadOnlyList<SystemSample> MeasureInChild(int index)
    {
        ProcessStartInfo start = Child.Describe("plan-system", index.ToString(CultureInfo.InvariantCulture));
        PeerResult result = Peer.RunFile(start.FileName, start.ArgumentList);
        return result.ExitCode == 0
            ? JsonSerializer.Deserialize<List<SystemSample>>(result.Text)!
            : throw new InvalidOperationException($"The case {index} failed with exit code {result.ExitCode}: {result.Errors}");
    }
}
