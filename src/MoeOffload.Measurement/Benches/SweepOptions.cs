namespace MoeOffload.Measurement.Benches;

/// <summary>Represents what <see cref="SweepBench"/> measures.</summary>
internal sealed record SweepOptions
{
    public required BenchSubject Subject { get; init; }

    /// <summary>Gets the axes, which are among <see cref="SweepAxis.All"/>.</summary>
    public IReadOnlyList<string> Axes { get; init; } = SweepAxis.All;

    /// <summary>Gets the number of measurements of each point.</summary>
    public int Rounds { get; init; } = 3;

    /// <summary>Gets the number of tokens in each prompt. On the axis of micro-batches it is at least the largest of these.</summary>
    public int PromptTokens { get; init; } = 512;

    /// <summary>Gets the number of tokens that are generated after each prompt.</summary>
    public int GeneratedTokens { get; init; } = 32;

    /// <summary>Gets the numbers of layers, counted from the first one, whose experts are in system memory; null for none, all, and each quarter between.</summary>
    public IReadOnlyList<int>? ExpertLayers { get; init; }

    /// <summary>Gets the maximum numbers of tokens that are computed at once; null for 512 to 4096, up to the length that the model was trained for.</summary>
    public IReadOnlyList<int>? MicroBatches { get; init; }

    /// <summary>Gets the numbers of CPU threads; null for the number of physical cores and the powers of two below it.</summary>
    public IReadOnlyList<int>? Threads { get; init; }

    /// <summary>Gets the numbers of tokens in the context before the prompt; null for 0 to 4096, up to the length that the model was trained for.</summary>
    public IReadOnlyList<int>? Depths { get; init; }

    /// <summary>Gets the path of llama.cpp's <c>llama-bench</c>, which measures each point too; null for none.</summary>
    public string? PeerPath { get; init; }
}
