namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents the shape of Qwen3-30B-A3B (https://huggingface.co/Qwen/Qwen3-30B-A3B).</summary>
internal sealed record Qwen3MoeShape : ModelShape
{
    public static Qwen3MoeShape Instance { get; } = new()
    {
        Id = "qwen3-30b-a3b",
        Name = "Qwen3-30B-A3B",
        Architecture = "qwen3moe",
        LayerCount = 48,
        ContextLength = 40960,
        EmbeddingLength = 2048,
        HeadCount = 32,
        KeyValueHeadCount = 4,
        HeadLength = 128,
        FeedForwardLength = 6144,
        ExpertFeedForwardLength = 768,
        ExpertCount = 128,
        ExpertUsedCount = 8,
        NormEpsilon = 1e-6f,
        RopeBase = 1000000,
        Vocabulary = VocabularyLayouts.Qwen3,
    };

    public override void Describe(ShapeMetadata metadata)
    {
        base.Describe(metadata);
        metadata.Set("expert_feed_forward_length", ExpertFeedForwardLength);
        metadata.Set("attention.key_length", HeadLength);
        metadata.Set("attention.value_length", HeadLength);
    }

    protected override IEnumerable<ShapeTensor> LayerTensors(int layer) =>
    [
        ShapeTensor.Norm(layer, "attn_norm", EmbeddingLength),
        .. Attention(layer, bias: false),
        ShapeTensor.Norm(layer, "attn_q_norm", HeadLength),
        ShapeTensor.Norm(layer, "attn_k_norm", HeadLength),
        ShapeTensor.Norm(layer, "ffn_norm", EmbeddingLength),
        .. Experts(layer),
    ];
}
