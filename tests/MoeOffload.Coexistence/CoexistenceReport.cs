namespace MoeOffload.Coexistence;

/// <summary>What happened in a process with two copies of llama.cpp.</summary>
public sealed record CoexistenceReport
{
    /// <summary>The tokens of each turn, upstream's and ours by turns.</summary>
    public required int[][] Turns { get; init; }

    /// <summary>How many lines upstream's log grew by in each turn.</summary>
    public required int[] UpstreamLines { get; init; }

    /// <summary>How many lines our log grew by in each turn.</summary>
    public required int[] OurLines { get; init; }

    /// <summary>The backends that upstream had registered after each turn.</summary>
    public required int[] UpstreamBackends { get; init; }

    /// <summary>The backends that we had registered at the end.</summary>
    public required int OurBackends { get; init; }

    /// <summary>The file names of the native libraries in the process.</summary>
    public required string[] Libraries { get; init; }
}
