namespace MoeOffload;

/// <summary>Represents a model's properties, as its file describes them.</summary>
public sealed record ModelInfo
{
    /// <summary>Gets the architecture, such as <c>gpt-oss</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Gets the model's name in the file, or an empty string if it has none.</summary>
    public required string Name { get; init; }

    /// <summary>Gets llama.cpp's one-line description, which consists of architecture, size and quantization.</summary>
    public required string Description { get; init; }

    /// <summary>Gets the number of weights.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Gets the size of all tensors, in bytes.</summary>
    public required long TensorBytes { get; init; }

    /// <summary>Gets the number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>
    /// Gets the number of additional layers for multi-token prediction (MTP), which can draft tokens. See <see cref="SpeculationOptions.UseMtpLayers"/>.
    /// </summary>
    public int MtpLayerCount { get; init; }

    /// <summary>Gets the size of the hidden state, in values.</summary>
    public required int EmbeddingLength { get; init; }

    /// <summary>Gets the longest context that the model was trained for, in tokens.</summary>
    public required int TrainedContextLength { get; init; }

    /// <summary>Gets the number of experts in each mixture-of-experts layer, without shared experts, or 0 for a dense model.</summary>
    public required int ExpertCount { get; init; }

    /// <summary>Gets the number of experts that the router chooses for each token, or 0 for a dense model.</summary>
    public required int ExpertUsedCount { get; init; }

    /// <summary>Gets a value that indicates whether the model was loaded with a projector, so that chats can have images.</summary>
    public bool SupportsVision { get; init; }

    /// <summary>Gets a value that indicates whether the model is a mixture of experts.</summary>
    public bool IsMixtureOfExperts => ExpertCount > 0;
}
