using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>Declares the tensors and hyperparameters that the architectures have in common, with random weights.</summary>
/// <remarks>
/// Matrices are scaled by 1/√(row length), so that activations keep their size from layer to layer. What is not random is told by
/// <see cref="TokenWalk"/>: without it, which text is generated, and whether it repeats itself, would hang on the rounding of a processor.
/// </remarks>
internal sealed class TinyModelWriter
{
    private const float Jitter = 0.1f;

    // The last expert that is chosen then weighs little, so that it does no harm if rounding decides between it and the next one.
    private const float RouterScale = 4;

    private readonly GgufWriter _writer = new();
    private readonly TinyShape _shape;
    private readonly TinyModelOptions _options;

    public TinyModelWriter(TinyShape shape, TinyModelOptions options)
    {
        _shape = shape;
        _options = options;
        _writer.Set(GgufKeys.Architecture, shape.Architecture);
        _writer.Set(GgufKeys.Name, $"Tiny {shape.Architecture}");
        _writer.Set("general.file_type", FileType(options.WeightType));
        _writer.Set("general.quantization_version", 2u);
        Set("block_count", (uint)(shape.Layers + shape.MtpLayers));
        Set("context_length", (uint)options.ContextLength);
        Set("embedding_length", (uint)shape.EmbeddingLength);
        Set("attention.head_count", (uint)shape.Heads);
        Set("attention.head_count_kv", (uint)shape.KeyValueHeads);
        Set("attention.layer_norm_rms_epsilon", 1e-5f);
        Set("rope.dimension_count", (uint)shape.HeadLength);
        Set("rope.freq_base", 10000f);
        if (shape.Experts > 0)
        {
            Set("expert_count", (uint)shape.Experts);
            Set("expert_used_count", (uint)shape.ExpertsUsed);
        }
    }

    /// <summary>How much layers add to the hidden state: less leaves more of what the token itself says.</summary>
    public float ResidualScale { get; set; } = 0.5f;

    public int Embedding => _shape.EmbeddingLength;

    private int QueryLength => _shape.Heads * _shape.HeadLength;

    private int KeyLength => _shape.KeyValueHeads * _shape.HeadLength;

    public void Set<T>(string key, T value)
        where T : unmanaged => _writer.Set($"{_shape.Architecture}.{key}", value);

    public void Set(string key, string value) => _writer.Set($"{_shape.Architecture}.{key}", value);

    public void SetArray<T>(string key, params ReadOnlySpan<T> values)
        where T : unmanaged => _writer.SetArray($"{_shape.Architecture}.{key}", values);

    public void SetTexts(string key, params IReadOnlyCollection<string> values) => _writer.SetArray($"{_shape.Architecture}.{key}", values);

    /// <summary>Sets the template for a query and a document.</summary>
    public void RerankTemplate(string template) => _writer.Set("tokenizer.chat_template.rerank", template);

    public void Vocabulary(TinyVocabulary vocabulary, bool outputBias = false)
    {
        vocabulary.WriteTo(_writer);
        Set("vocab_size", (uint)vocabulary.Count);
        var walk = new TokenWalk(vocabulary, Embedding, _options.Seed, _options.Words);
        Add("token_embd.weight", MatrixType(), [Embedding, vocabulary.Count], 0, 1, adjust: walk.Embed);
        Norm("output_norm", Embedding, bias: outputBias);

        Add(
            "output.weight",
            MatrixType(),
            [Embedding, vocabulary.Count],
            0,
            1 / MathF.Sqrt(Embedding),
            row => walk.IsLeftOut(row) ? 0 : vocabulary.Likelihood((int)row),
            walk.Attract);
        if (outputBias)
        {
            Add("output.bias", GgmlType.F32, [vocabulary.Count], 0, 0);
        }
    }

    /// <summary>The vocabulary of a model that makes no logits.</summary>
    public void EncoderVocabulary(TinyVocabulary vocabulary)
    {
        vocabulary.WriteTo(_writer);
        _writer.Set("tokenizer.ggml.token_type_count", 1u);
        Matrix("token_embd.weight", [Embedding, vocabulary.Count], deviation: 1);
    }

    public void Attention(int layer, bool bias = false, bool gated = false)
    {
        Matrix($"blk.{layer}.attn_q.weight", [Embedding, gated ? 2 * QueryLength : QueryLength]);
        Matrix($"blk.{layer}.attn_k.weight", [Embedding, KeyLength]);
        Matrix($"blk.{layer}.attn_v.weight", [Embedding, KeyLength]);
        Residual($"blk.{layer}.attn_output.weight", [QueryLength, Embedding]);
        if (bias)
        {
            Bias($"blk.{layer}.attn_q.bias", QueryLength);
            Bias($"blk.{layer}.attn_k.bias", KeyLength);
            Bias($"blk.{layer}.attn_v.bias", KeyLength);
            Bias($"blk.{layer}.attn_output.bias", Embedding);
        }
    }

    public void Experts(int layer, bool bias = false)
    {
        var (experts, hidden) = (_shape.Experts, _shape.ExpertFeedForwardLength);
        Add($"blk.{layer}.ffn_gate_inp.weight", GgmlType.F32, [Embedding, experts], 0, RouterScale / MathF.Sqrt(Embedding));
        Matrix($"blk.{layer}.ffn_gate_exps.weight", [Embedding, hidden, experts]);
        Matrix($"blk.{layer}.ffn_up_exps.weight", [Embedding, hidden, experts]);
        Residual($"blk.{layer}.ffn_down_exps.weight", [hidden, Embedding, experts]);
        if (bias)
        {
            Bias($"blk.{layer}.ffn_gate_inp.bias", experts);
            Bias($"blk.{layer}.ffn_gate_exps.bias", hidden, experts);
            Bias($"blk.{layer}.ffn_up_exps.bias", hidden, experts);
            Bias($"blk.{layer}.ffn_down_exps.bias", Embedding, experts);
        }
    }

    public void FeedForward(int layer, int hidden, string suffix = "")
    {
        Matrix($"blk.{layer}.ffn_gate{suffix}.weight", [Embedding, hidden]);
        Matrix($"blk.{layer}.ffn_up{suffix}.weight", [Embedding, hidden]);
        Residual($"blk.{layer}.ffn_down{suffix}.weight", [hidden, Embedding]);
    }

    /// <summary>
    /// What a layer for multi-token prediction begins with. It takes the token's embedding as it is and a little of the hidden state before
    /// it, so that what comes out is much like what the whole model makes of the token.
    /// </summary>
    public void MtpInput(int layer)
    {
        const float HiddenShare = 0.2f;
        Norm($"blk.{layer}.nextn.enorm", Embedding);
        Norm($"blk.{layer}.nextn.hnorm", Embedding);
        Add(
            $"blk.{layer}.nextn.eh_proj.weight",
            MatrixType(),
            [2 * Embedding, Embedding],
            0,
            HiddenShare / MathF.Sqrt(Embedding),
            adjust: (index, row) =>
            {
                row[..Embedding].Clear();
                row[(int)index] = 1;
            });
    }

    /// <summary>A layer with gated delta nets, which keep a state instead of keys and values.</summary>
    public void DeltaNet(int layer, int states, int keyHeads, int valueHeads, int kernel)
    {
        var (keys, values) = (states * keyHeads, states * valueHeads);
        Matrix($"blk.{layer}.attn_qkv.weight", [Embedding, (2 * keys) + values]);
        Matrix($"blk.{layer}.attn_gate.weight", [Embedding, values]);
        Add($"blk.{layer}.ssm_conv1d.weight", GgmlType.F32, [kernel, (2 * keys) + values], 0, 1 / MathF.Sqrt(kernel));
        Bias($"blk.{layer}.ssm_dt.bias", valueHeads);
        Constant($"blk.{layer}.ssm_a", -1, valueHeads);
        Matrix($"blk.{layer}.ssm_beta.weight", [Embedding, valueHeads]);
        Matrix($"blk.{layer}.ssm_alpha.weight", [Embedding, valueHeads]);
        Norm($"blk.{layer}.ssm_norm", states);
        Residual($"blk.{layer}.ssm_out.weight", [values, Embedding]);
    }

    public void Matrix(string name, ReadOnlySpan<long> dimensions, float? deviation = null) =>
        Add(name, MatrixType(isExperts: dimensions.Length == 3), dimensions, 0, deviation ?? 1 / MathF.Sqrt(dimensions[0]));

    public void Residual(string name, ReadOnlySpan<long> dimensions) =>
        Matrix(name, dimensions, ResidualScale / MathF.Sqrt(dimensions[0]));

    public void Norm(string name, int length, bool bias = false)
    {
        Add($"{name}.weight", GgmlType.F32, [length], 1, Jitter);
        if (bias)
        {
            Bias($"{name}.bias", length);
        }
    }

    public void Bias(string name, params ReadOnlySpan<long> dimensions) => Add(name, GgmlType.F32, dimensions, 0, Jitter);

    public void Constant(string name, float value, params ReadOnlySpan<long> dimensions) => Add(name, GgmlType.F32, dimensions, value, 0);

    public void StateSpace(int layer, int inner, int states, int kernel, int rank)
    {
        Matrix($"blk.{layer}.ssm_in.weight", [Embedding, 2 * inner]);
        Add($"blk.{layer}.ssm_conv1d.weight", GgmlType.F32, [kernel, inner], 0, 1 / MathF.Sqrt(kernel));
        Bias($"blk.{layer}.ssm_conv1d.bias", inner);
        Matrix($"blk.{layer}.ssm_x.weight", [inner, rank + (2 * states)]);
        Add($"blk.{layer}.ssm_dt.weight", GgmlType.F32, [rank, inner], 0, 1 / MathF.Sqrt(rank));
        Bias($"blk.{layer}.ssm_dt.bias", inner);
        Constant($"blk.{layer}.ssm_a", -1, states, inner);
        Constant($"blk.{layer}.ssm_d", 1, inner);
        Matrix($"blk.{layer}.ssm_out.weight", [inner, Embedding]);
    }

    public void Write(string path) => _writer.Write(path);

    private static uint FileType(GgmlType weights) => weights switch
    {
        GgmlType.F32 => 0,
        GgmlType.F16 => 1,
        GgmlType.Q4_0 => 2,
        GgmlType.Q8_0 => 7,
        GgmlType.MXFP4 => 38,
        _ => throw new ArgumentOutOfRangeException(nameof(weights), weights, "The fixtures write F32, F16, Q8_0, Q4_0 and MXFP4."),
    };

    private delegate void AdjustRow(long index, Span<float> row);

    private GgmlType MatrixType(bool isExperts = false) =>
        _options.WeightType == GgmlType.MXFP4 && !isExperts ? GgmlType.Q8_0 : _options.WeightType;

    private void Add(
        string name,
        GgmlType type,
        ReadOnlySpan<long> dimensions,
        float mean,
        float deviation,
        Func<long, float>? rowScale = null,
        AdjustRow? adjust = null)
    {
        var random = new RandomRows(_options.Seed, name);
        var row = new float[dimensions[0]];
        var rowBytes = GgmlTypeInfo.Get(type).GetByteCount(row.Length);
        _writer.AddTensor(name, type, dimensions, (offset, destination) =>
        {
            for (var done = 0; done < destination.Length; done += (int)rowBytes)
            {
                var index = (offset + done) / rowBytes;
                random.Fill(index, row, mean, deviation * (rowScale?.Invoke(index) ?? 1));
                adjust?.Invoke(index, row);
                GgmlQuantizer.EncodeRow(type, row, destination.Slice(done, (int)rowBytes));
            }
        });
    }
}
