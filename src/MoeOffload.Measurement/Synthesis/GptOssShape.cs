using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents the shape of gpt-oss (https://huggingface.co/openai/gpt-oss-20b and gpt-oss-120b).</summary>
internal sealed record GptOssShape : ModelShape
{
    public static GptOssShape Of20B { get; } = Make("gpt-oss-20b", "gpt-oss 20B", layers: 24, experts: 32);

    public static GptOssShape Of120B { get; } = Make("gpt-oss-120b", "gpt-oss 120B", layers: 36, experts: 128);

    public override void Describe(ShapeMetadata metadata)
    {
        base.Describe(metadata);
        metadata.Set("expert_feed_forward_length", ExpertFeedForwardLength);
        metadata.Set("attention.key_length", HeadLength);
        metadata.Set("attention.value_length", HeadLength);
        metadata.Set("attention.sliding_window", 128);
        metadata.Set("rope.scaling.type", "yarn");
        metadata.Set("rope.scaling.factor", 32f);
        metadata.Set("rope.scaling.original_context_length", 4096);
        metadata.Set("rope.scaling.yarn_beta_fast", 32f);
        metadata.Set("rope.scaling.yarn_beta_slow", 1f);
    }

    protected override IEnumerable<ShapeTensor> LayerTensors(int layer) =>
    [
        ShapeTensor.Norm(layer, "attn_norm", EmbeddingLength),
        .. Attention(layer, bias: true),
        new ShapeTensor($"blk.{layer}.attn_sinks.weight", [HeadCount], new TensorContent.Constant(0), layer),
        ShapeTensor.Norm(layer, "post_attention_norm", EmbeddingLength),
        .. Experts(layer),
        ShapeTensor.Bias(layer, "ffn_gate_inp", ExpertCount),
        ShapeTensor.Bias(layer, "ffn_gate_exps", ExpertFeedForwardLength, ExpertCount),
        ShapeTensor.Bias(layer, "ffn_up_exps", ExpertFeedForwardLength, ExpertCount),
        ShapeTensor.Bias(layer, "ffn_down_exps", EmbeddingLength, ExpertCount),
    ];

    private static GptOssShape Make(string id, string name, int layers, int experts) => new()
    {
        Id = id,
        Name = name,
        Architecture = "gpt-oss",
        LayerCount = layers,
        ContextLength = 131072,
        EmbeddingLength = 2880,
        HeadCount = 64,
        KeyValueHeadCount = 8,
        HeadLength = 64,
        FeedForwardLength = 2880,
        ExpertFeedForwardLength = 2880,
        ExpertCount = experts,
        ExpertUsedCount = 4,
        NormEpsilon = 1e-5f,
        RopeBase = 150000,
        UsualFileType = "MXFP4",
        ExpertType = GgmlType.MXFP4,
        Vocabulary = VocabularyLayouts.GptOss,
    };
}
