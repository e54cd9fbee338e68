namespace MoeOffload.Measurement.Synthesis;

/// <summary>Represents the shape of Phi-3.5-MoE (https://huggingface.co/microsoft/Phi-3.5-MoE-instruct).</summary>
internal sealed record PhiMoeShape : ModelShape
{
    private const int OriginalContextLength = 4096;

    public static PhiMoeShape Instance { get; } = new()
    {
        Id = "phi-3.5-moe",
        Name = "Phi-3.5-MoE",
        Architecture = "phimoe",
        LayerCount = 32,
        ContextLength = 131072,
        EmbeddingLength = 4096,
        HeadCount = 32,
        KeyValueHeadCount = 8,
        HeadLength = 128,
        FeedForwardLength = 6400,
        ExpertFeedForwardLength = 6400,
        ExpertCount = 16,
        ExpertUsedCount = 2,
        NormEpsilon = 1e-5f,
        RopeBase = 10000,
        Vocabulary = VocabularyLayouts.Phi3,
    };

    protected override bool HasOutputBias => true;

    public override void Describe(ShapeMetadata metadata)
    {
        base.Describe(metadata);
        metadata.Set("rope.dimension_count", HeadLength);
        metadata.Set("rope.scaling.original_context_length", OriginalContextLength);
        double scale = (double)ContextLength / OriginalContextLength;
        metadata.Set("rope.scaling.attn_factor", (float)Math.Sqrt(1 + (Math.Log(scale) / Math.Log(OriginalContextLength))));
        metadata.Set("attention.sliding_window", 131072);
    }

    protected override IEnumerable<ShapeTensor> ModelTensors() =>
        [RopeFactors("rope_factors_long", 64), RopeFactors("rope_factors_short", 3)];

    protected override IEnumerable<ShapeTensor> LayerTensors(int layer) =>
    [
        ShapeTensor.Norm(layer, "attn_norm", EmbeddingLength),
        ShapeTensor.Bias(layer, "attn_norm", EmbeddingLength),
        .. Attention(layer, bias: true),
        ShapeTensor.Norm(layer, "ffn_norm", EmbeddingLength),
        ShapeTensor.Bias(layer, "ffn_norm", EmbeddingLength),
        .. Experts(layer),
    ];

    // The factors are also synthetic. The published ones rise to the same value, but unevenly.
    private ShapeTensor RopeFactors(string name, float last)
    {
        int count = HeadLength / 2;
        return new($"{name}.weight", [count], new TensorContent.Row([.. Enumerable.Range(0, count).Select(index => MathF.Pow(last, index / (count - 1f)))]));
    }
}
