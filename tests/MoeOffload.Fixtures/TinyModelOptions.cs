using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>The shape of a tiny model. Null selects the default of the architecture: experts as in the real model, and everything else small.</summary>
public sealed record TinyModelOptions
{
    /// <summary>Eight experts that all compute. Between two that are about equally good, the rounding of the processor would choose, and change the whole text.</summary>
    public static TinyModelOptions AllExperts { get; } = new() { Experts = 8, ExpertsUsed = 8 };

    /// <summary>How matrices are stored: F32, F16, Q8_0, Q4_0, or MXFP4 (experts; the other matrices are then Q8_0).</summary>
    public GgmlType WeightType { get; init; } = GgmlType.F16;

    /// <summary>Seed of the weights. Models that differ in nothing but <see cref="WeightType"/> approximate each other.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Layers.</summary>
    public int? Layers { get; init; }

    /// <summary>Layers for multi-token prediction, in architectures that have them.</summary>
    public int? MtpLayers { get; init; }

    /// <summary>The number of experts per layer. If it is 0, the model is dense, which not every architecture supports.</summary>
    public int? Experts { get; init; }

    /// <summary>Experts that each token goes through.</summary>
    public int? ExpertsUsed { get; init; }

    /// <summary>Size of the hidden state, a multiple of 64; of 256 for K-quants.</summary>
    public int? EmbeddingLength { get; init; }

    /// <summary>Size of an attention head, even; Qwen3-MoE's only, whose heads need not add up to the hidden state.</summary>
    public int? HeadLength { get; init; }

    /// <summary>Size of an expert's hidden layer, a multiple of 32; of 256 for K-quants.</summary>
    public int? ExpertFeedForwardLength { get; init; }

    /// <summary>Context length that the model claims to be trained for, in tokens.</summary>
    public int ContextLength { get; init; } = 4096;

    /// <summary>Words that generated text consists of; null is all. A text of few words soon repeats itself.</summary>
    public int? Words { get; init; }

    /// <summary>Tokens in the vocabulary, at least 512.</summary>
    public int VocabularySize { get; init; } = 1024;
}
