using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>A soak as a command, for any time.</summary>
internal static class SoakCommand
{
    // What the allocators move by; a leaked sequence, sampler or stream of each request would be many times that after a minute.
    private const long Bound = 32 << 20;

    public static int Run(TimeSpan duration, string? path)
    {
        using MoeModel model = MoeModel.Load(path ?? Soak.Model.Path);
        SoakReport report = Soak.RunAsync(model, duration, isTrained: path is not null).GetAwaiter().GetResult();
        Console.WriteLine($"Soak of {duration}, {path ?? "synthetic weights"}");
        report.Print(Console.Out);
        bool isFlat = report.Memory.After - report.Memory.Before < Bound;
        Console.WriteLine(report.Faults.IsEmpty && isFlat ? "Nothing was lost, nothing mixed up, and memory stayed flat." : "FAILED");
        return report.Faults.IsEmpty && isFlat ? 0 : 1;
    }
}
