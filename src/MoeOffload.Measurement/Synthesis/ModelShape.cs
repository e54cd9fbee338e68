using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Represents the hyperparameters, tensors and metadata of a published model: the values of its Hugging Face <c>config.json</c>, with the keys
/// and names that llama.cpp's <c>conversion</c> uses.
/// </summary>
internal abstract record ModelShape
{
    /// <summary>Gets all shapes.</summary>
    public static IReadOnlyList<ModelShape> All =>
        [GptOssShape.Of20B, GptOssShape.Of120B, PhiMoeShape.Instance, DeepSeekMoeShape.Instance, Qwen3MoeShape.Instance];

    /// <summary>Gets the name on the command line.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the display name.</summary>
    public required string Name { get; init; }

    public required string Architecture { get; init; }

    public required int LayerCount { get; init; }

    public required int ContextLength { get; init; }

    public required int EmbeddingLength { get; init; }

    public required int HeadCount { get; init; }

    public required int KeyValueHeadCount { get; init; }

    public required int HeadLength { get; init; }

    public required int FeedForwardLength { get; init; }

    public required int ExpertFeedForwardLength { get; init; }

    public required int ExpertCount { get; init; }

    public required int ExpertUsedCount { get; init; }

    public required float NormEpsilon { get; init; }

    public required float RopeBase { get; init; }

    public required VocabularyLayout Vocabulary { get; init; }

    /// <summary>Gets the file type of the published model, or the one that is used most.</summary>
    public string UsualFileType { get; init; } = "Q4_K_M";

    /// <summary>
    /// Gets the type of the published experts, which unquantized files keep, or null if it is the same as for the other tensors.
    /// </summary>
    public GgmlType? ExpertType { get; init; }

    /// <summary>Gets the number of query heads for each key and value head.</summary>
    public int HeadsPerKeyValueHead => HeadCount / KeyValueHeadCount;

    protected long QueryLength => (long)HeadCount * HeadLength;

    protected long KeyLength => (long)KeyValueHeadCount * HeadLength;

    protected virtual bool HasOutputBias => false;

    /// <summary>Returns the tensors of a model with this shape.</summary>
    /// <param name="layers">The number of layers to include.</param>
    public IEnumerable<ShapeTensor> Tensors(int layers)
    {
        long vocabulary = Vocabulary.Size;
        yield return new ShapeTensor("token_embd.weight", [EmbeddingLength, vocabulary], new TensorContent.Noise(1));
        yield return new ShapeTensor("output_norm.weight", [EmbeddingLength], new TensorContent.Constant(1));
        yield return new ShapeTensor("output.weight", [EmbeddingLength, vocabulary], new TensorContent.Noise(1 / MathF.Sqrt(EmbeddingLength)));
        if (HasOutputBias)
        {
            yield return new ShapeTensor("output_norm.bias", [EmbeddingLength], new TensorContent.Noise(0.02f));
            yield return new ShapeTensor("output.bias", [vocabulary], new TensorContent.Constant(0));
        }

        foreach (ShapeTensor tensor in ModelTensors().Concat(Enumerable.Range(0, layers).SelectMany(LayerTensors)))
        {
            yield return tensor;
        }
    }

    /// <summary>Sets the metadata of the hyperparameters.</summary>
    public virtual void Describe(ShapeMetadata metadata)
    {
        metadata.Set("context_length", ContextLength);
        metadata.Set("embedding_length", EmbeddingLength);
        metadata.Set("feed_forward_length", FeedForwardLength);
        metadata.Set("attention.head_count", HeadCount);
        metadata.Set("attention.head_count_kv", KeyValueHeadCount);
        metadata.Set("attention.layer_norm_rms_epsilon", NormEpsilon);
        metadata.Set("rope.freq_base", RopeBase);
        metadata.Set("expert_count", ExpertCount);
        metadata.Set("expert_used_count", ExpertUsedCount);
    }

    protected abstract IEnumerable<ShapeTensor> LayerTensors(int layer);

    /// <summary>Returns the tensors that do not belong to a layer, except for embeddings and output.</summary>
    protected virtual IEnumerable<ShapeTensor> ModelTensors() => [];

    protected IEnumerable<ShapeTensor> Attention(int layer, bool bias)
    {
        yield return ShapeTensor.Matrix(layer, "attn_q", EmbeddingLength, QueryLength);
        yield return ShapeTensor.Matrix(layer, "attn_k", EmbeddingLength, KeyLength);
        yield return ShapeTensor.Matrix(layer, "attn_v", EmbeddingLength, KeyLength);
        yield return ShapeTensor.Matrix(layer, "attn_output", QueryLength, EmbeddingLength);
        if (bias)
        {
            yield return ShapeTensor.Bias(layer, "attn_q", QueryLength);
            yield return ShapeTensor.Bias(layer, "attn_k", KeyLength);
            yield return ShapeTensor.Bias(layer, "attn_v", KeyLength);
            yield return ShapeTensor.Bias(layer, "attn_output", EmbeddingLength);
        }
    }

    protected IEnumerable<ShapeTensor> Experts(int layer)
    {
        yield return ShapeTensor.Matrix(layer, "ffn_gate_inp", EmbeddingLength, ExpertCount);
        yield return ShapeTensor.Matrix(layer, "ffn_gate_exps", EmbeddingLength, ExpertFeedForwardLength, ExpertCount);
        yield return ShapeTensor.Matrix(layer, "ffn_up_exps", EmbeddingLength, ExpertFeedForwardLength, ExpertCount);
        yield return ShapeTensor.Matrix(layer, "ffn_down_exps", ExpertFeedForwardLength, EmbeddingLength, ExpertCount);
    }

    protected IEnumerable<ShapeTensor> FeedForward(int layer, string suffix, int length)
    {
        yield return ShapeTensor.Matrix(layer, $"ffn_gate{suffix}", EmbeddingLength, length);
        yield return ShapeTensor.Matrix(layer, $"ffn_up{suffix}", EmbeddingLength, length);
        yield return ShapeTensor.Matrix(layer, $"ffn_down{suffix}", length, EmbeddingLength);
    }
}
