using System.Text.Json.Nodes;
using MoeOffload.Gguf;

namespace MoeOffload.Cli.Measurement;

/// <summary>What a bench measures: a model, the devices that it may use, and its context.</summary>
/// <param name="Name">What the model is called.</param>
/// <param name="Path">Its file, or the first of its parts.</param>
internal sealed record BenchSubject(string Name, string Path)
{
    /// <summary>The metadata key of a file whose weights are random numbers.</summary>
    public const string SyntheticKey = "moeoffload.synthetic_weights";

    private readonly Lazy<bool> _isSynthetic =
        new(() => GgufModelFiles.Open(Path).Metadata.TryGetBoolean(SyntheticKey, out bool synthetic) && synthetic);

    /// <summary>How it is loaded; placement rules are each bench's own.</summary>
    public ModelOptions Load { get; init; } = new();

    /// <summary>Its context.</summary>
    public ContextOptions Context { get; init; } = new();

    /// <summary>The process of an RPC server on this machine that is the second device; its memory is measured too.</summary>
    public int? RpcServerProcess { get; init; }

    /// <summary>Whether the weights are random numbers, as the file says.</summary>
    public bool IsSynthetic => _isSynthetic.Value;

    /// <summary>The fields with which each sample begins.</summary>
    /// <param name="bench">The bench.</param>
    public JsonObject NewSample(string bench) => new() { ["bench"] = bench, ["model"] = Name, ["synthetic"] = IsSynthetic };
}
