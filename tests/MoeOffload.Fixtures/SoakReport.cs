using System.Collections.Concurrent;

namespace MoeOffload.Fixtures;

/// <summary>What happened in a soak.</summary>
public sealed class SoakReport
{
    /// <summary>The fluctuation of the allocators. If each request leaked a sequence, sampler or stream, it would be many times that after a minute.</summary>
    private const long MostGrowth = 32 << 20;

    private static readonly string[] s_expected =
    [
        "whole, MaxTokens", "cancelled, as asked", "left early, left", "late, Deadline", "wrong grammar, refused", "too long, refused",
        "slowly read, MaxTokens", "stopped by a string, StopString", "state, saved and loaded", "whole, queue full",
    ];

    private readonly ConcurrentDictionary<string, int> _outcomes = new();
    private int _texts;

    /// <summary>How often each kind of request ended in each way.</summary>
    public IReadOnlyDictionary<string, int> Outcomes => _outcomes;

    /// <summary>Events that a soak must cause but that did not occur.</summary>
    public IEnumerable<string> Missing => s_expected.Where(outcome => !_outcomes.ContainsKey(outcome));

    /// <summary>The number of texts that were compared with the same text generated alone.</summary>
    public int Texts => _texts;

    /// <summary>Whether the process takes no more memory at the end than after the first part.</summary>
    public bool IsMemoryFlat => Memory.After - Memory.Before < MostGrowth;

    /// <summary>The problems; empty if nothing was lost or mixed up.</summary>
    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>Where a text parted from its reference at a choice that was not clear.</summary>
    public ConcurrentQueue<string> UnclearChoices { get; } = new();

    /// <summary>The statistics of each session at the end.</summary>
    public ConcurrentQueue<SessionStatistics> Sessions { get; } = new();

    /// <summary>Bytes of the process after the first part and at the end.</summary>
    public (long Before, long After) Memory { get; internal set; }

    /// <summary>Counts an outcome.</summary>
    public void Count(string outcome) => _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);

    /// <summary>Compares a text with the same text generated alone.</summary>
    internal void Compare(string name, SoakText text, IReadOnlyList<int> tokens)
    {
        if (tokens.Count > 0)
        {
            Interlocked.Increment(ref _texts);
        }

        if (!text.Matches(tokens, out string? unclear))
        {
            Faults.Enqueue($"{name}: another text, {unclear}");
        }
        else if (unclear is not null)
        {
            UnclearChoices.Enqueue(unclear);
        }
    }

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
        writer.WriteLine($"  {UnclearChoices.Count} of {Texts} texts parted where the best two tokens are within rounding");
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
