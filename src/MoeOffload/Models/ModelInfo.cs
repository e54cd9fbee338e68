namespace MoeOffload;

/// <summary>What a model is, as its file says.</summary>
public sealed record ModelInfo
{
    /// <summary>The architecture, such as <c>gpt-oss</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The model's own name; empty where the file has none.</summary>
    public required string Name { get; init; }

    /// <summary>llama.cpp's one-line description: architecture, size, quantization.</summary>
    public required string Description { get; init; }

    /// <summary>Number of weights.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Size of all tensors in bytes.</summary>
    public required long TensorBytes { get; init; }

    /// <summary>Number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>
    /// Further layers, for multi-token prediction (MTP), which can guess tokens: see <see cref="SpeculationOptions.UseMtpLayers"/>.
    /// </summary>
    public int MtpLayerCount { get; init; }

    /// <summary>Width of the hidden state.</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>Longest context, in tokens, that the model was trained for.</summary>
    public required int TrainedContextLength { get; init; }

    /// <summary>Experts of each mixture-of-experts layer, shared ones not counted; 0 for a dense model.</summary>
    public required int ExpertCount { get; init; }

    /// <summary>Experts that the router chooses for each token; 0 for a dense model.</summary>
    public required int ExpertUsedCount { get; init; }

    /// <summary>Whether the model is a mixture of experts.</summary>
    public bool IsMixtureOfExperts => ExpertCount > 0;
}
