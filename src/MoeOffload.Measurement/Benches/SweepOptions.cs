namespace MoeOffload.Measurement.Benches;

/// <summary>What <see cref="SweepBench"/> measures.</summary>
internal sealed record SweepOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>The axes, of <see cref="SweepAxis.All"/>.</summary>
    public IReadOnlyList<string> Axes { get; init; } = SweepAxis.All;

    /// <summary>How often each point is measured.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Tokens of each prompt; on the axis of micro-batches, at least the largest of these.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>Tokens that are generated after it.</summary>
    public int GeneratedTokens { get; init; } = 32;

    /// <summary>Of how many layers, the first ones first, the experts are in system memory; null for none, all, and each quarter between.</summary>
    public IReadOnlyList<int>? ExpertLayers { get; init; }

    /// <summary>Most tokens that are computed at once; null for 512 to 4096, as far as the model was trained for so many.</summary>
    public IReadOnlyList<int>? MicroBatches { get; init; }

    /// <summary>CPU threads; null for powers of two below the physical cores, and these.</summary>
    public IReadOnlyList<int>? Threads { get; init; }

    /// <summary>Tokens that the context holds before the prompt; null for 0 to 4096, as far as the model was trained for so many.</summary>
    public IReadOnlyList<int>? Depths { get; init; }

    /// <summary>llama.cpp's <c>llama-bench</c>, which measures each point too; null for none.</summary>
    public string? PeerPath { get; init; }
}
