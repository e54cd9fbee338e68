namespace MoeOffload.Diagnostics;

/// <summary>Represents the model that a trace of experts was recorded with, with everything that a replay needs, so that it does not need the model.</summary>
public sealed record ExpertTraceModel
{
    /// <summary>Gets the architecture, such as <c>gpt-oss</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Gets the model's name in its file, or an empty string if it has none.</summary>
    public required string Name { get; init; }

    /// <summary>Gets a hash of the headers, the sizes and samples of the weights of the model's files, as 64 hexadecimal digits.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Gets the number of experts in each layer, without shared experts.</summary>
    public required int ExpertCount { get; init; }

    /// <summary>Gets the number of experts that the router chooses for each token.</summary>
    public required int ExpertUsedCount { get; init; }

    /// <summary>Gets the size of one expert of each layer, in bytes: its weights, without biases. It is 0 for a layer without routed experts.</summary>
    public required IReadOnlyList<long> ExpertBytes { get; init; }

    /// <summary>Gets the number of layers, including those without experts.</summary>
    public int LayerCount => ExpertBytes.Count;

    /// <summary>Gets the size of all routed experts, in bytes.</summary>
    public long TotalBytes => ExpertBytes.Sum() * ExpertCount;
}
