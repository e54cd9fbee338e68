namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Represents the shape of DeepSeek-MoE 16B (https://huggingface.co/deepseek-ai/deepseek-moe-16b-chat). Its first layer is dense.
/// </summary>
internal sealed record DeepSeekMoeShape : ModelShape
{
    private const int SharedExperts = 2;
    private const int DenseLayers = 1;

    public static DeepSeekMoeShape Instance { get; } = new()
    {
        Id = "deepseek-moe-16b",
        Name = "DeepSeek-MoE 16B",
        Architecture = "deepseek",
        LayerCount = 28,
        ContextLength = 4096,
        EmbeddingLength = 2048,
        HeadCount = 16,
        KeyValueHeadCount = 16,
        HeadLength = 128,
        FeedForwardLength = 10944,
        ExpertFeedForwardLength = 1408,
        ExpertCount = 64,
        ExpertUsedCount = 6,
        NormEpsilon = 1e-6f,
        RopeBase = 10000,
        Vocabulary = VocabularyLayouts.DeepSeek,
    };

    public override void Describe(ShapeMetadata metadata)
    {
        base.Describe(metadata);
        metadata.Set("rope.dimension_count", HeadLength);
        metadata.Set("rope.scaling.type", "none");
        metadata.Set("leading_dense_block_count", DenseLayers);
        metadata.Set("vocab_size", Vocabulary.Size);
        metadata.Set("expert_feed_forward_length", ExpertFeedForwardLength);
        metadata.Set("expert_shared_count", SharedExperts);
        metadata.Set("expert_weights_scale", 1f);

        // This is softmax, LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX in llama.cpp.
        metadata.Set("expert_gating_func", 1);
    }

    protected override IEnumerable<ShapeTensor> LayerTensors(int layer) =>
    [
        ShapeTensor.Norm(layer, "attn_norm", EmbeddingLength),
        .. Attention(layer, bias: false),
        ShapeTensor.Norm(layer, "ffn_norm", EmbeddingLength),
        .. layer < DenseLayers
            ? FeedForward(layer, string.Empty, FeedForwardLength)
            : Experts(layer).Concat(FeedForward(layer, "_shexp", SharedExperts * ExpertFeedForwardLength)),
    ];
}
