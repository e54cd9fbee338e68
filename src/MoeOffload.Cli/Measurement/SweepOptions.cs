namespace MoeOffload.Cli.Measurement;

/// <summary>What <see cref="SweepBench"/> measures; an axis with no values is left out.</summary>
internal sealed record SweepOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>How often each point is measured.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Tokens of each prompt.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>Tokens that are generated after it.</summary>
    public int GeneratedTokens { get; init; } = 32;

    /// <summary>Of how many layers, the first ones first, the experts are in system memory; null for none, all, and each quarter between.</summary>
    public IReadOnlyList<int>? ExpertLayersOnCpu { get; init; }

    public IReadOnlyList<int> MicroBatches { get; init; } = [512, 1024, 2048, 4096];

    /// <summary>CPU threads; null for powers of two, and all physical cores.</summary>
    public IReadOnlyList<int>? Threads { get; init; }

    /// <summary>Tokens that the context holds before the prompt.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [0, 1024, 2048];

    /// <summary>Whether experts in system memory are measured mapped, and read into memory, pinned where a GPU wants it.</summary>
    public bool HostMemory { get; init; } = true;

    /// <summary>llama.cpp's <c>llama-bench</c>, which measures each point too; null for none.</summary>
    public string? PeerPath { get; init; }
}
