using System.Collections.Concurrent;

namespace MoeOffload.Fixtures;

/// <summary>What happened in a soak.</summary>
public sealed class SoakReport
{
    private readonly ConcurrentDictionary<string, int> _outcomes = new();

    /// <summary>How often each kind of request ended in each way.</summary>
    public IReadOnlyDictionary<string, int> Outcomes => _outcomes;

    /// <summary>What went wrong; empty where nothing was lost and nothing mixed up.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Where a text parted from its reference at a choice that was not clear.</summary>
    public ConcurrentQueue<string> UnclearChoices { get; } = new();

    /// <summary>What each session counted, at the end.</summary>
    public ConcurrentQueue<SessionStatistics> Sessions { get; } = new();

    /// <summary>Bytes of the process after the first part and at the end.</summary>
    public (long Before, long After) Memory { get; internal set; }

    /// <summary>Counts an outcome.</summary>
    public void Count(string outcome) => _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);

    /// <summary>Prints all of it.</summary>
    public void Print(TextWriter writer)
    {
        foreach ((string outcome, int count) in _outcomes.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            writer.WriteLine($"  {outcome,-36} {count,8}");
        }

        foreach (SessionStatistics session in Sessions)
        {
            writer.WriteLine($"  {session}");
        }

        writer.WriteLine($"  memory {Memory.Before / 1e6:0.0} MB, at the end {Memory.After / 1e6:0.0} MB");
        writer.WriteLine($"  {UnclearChoices.Count} texts parted at choices that were not clear");
        foreach (string choice in UnclearChoices.Distinct().Take(20))
        {
            writer.WriteLine($"    {choice}");
        }

        writer.WriteLine($"  {Faults.Count} faults");
        foreach (string fault in Faults.Take(50))
        {
            writer.WriteLine($"    {fault}");
        }
    }
}
