using MoeOffload.Fixtures;

namespace MoeOffload.Benchmarks;

/// <summary>Runs a soak test as a command, for any duration.</summary>
internal static class SoakCommand
{
    public static int Run(TimeSpan duration, string? path)
    {
        using MoeModel model = MoeModel.Load(path ?? Soak.Model.Path);
        SoakReport report = Soak.RunAsync(model, duration, isTrained: path is not null).GetAwaiter().GetResult();
        Console.WriteLine($"Soak of {duration}, {path ?? "synthetic weights"}");
        report.Print(Console.Out);
        bool isGood = report.Faults.IsEmpty && report.IsMemoryFlat && !report.Missing.Any();
        Console.WriteLine(isGood ? "Nothing was lost, nothing mixed up, and memory stayed flat." : $"FAILED; did not happen: {string.Join("; ", report.Missing)}");
        return isGood ? 0 : 1;
    }
}
