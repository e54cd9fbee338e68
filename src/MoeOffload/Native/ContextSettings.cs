using System.Globalization;
using MoeOffload.Gguf;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents the settings of a context. A property that is <see langword="null"/> leaves llama.cpp's default.</summary>
internal sealed record ContextSettings
{
    /// <summary>Gets the number of cells in the KV cache, over all sequences, or 0 for the length that the model was trained for.</summary>
    public int ContextLength { get; init; }

    /// <summary>Gets the number of sequences that can run at once.</summary>
    public int SequenceCount { get; init; } = 1;

    /// <summary>Gets the maximum number of tokens in a step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Gets the maximum number of tokens that are computed at once.</summary>
    public required int MicroBatchSize { get; init; }

    /// <summary>Gets the maximum number of tokens in a step that have logits, or 0 if each token has an embedding instead.</summary>
    public int OutputCount { get; init; }

    /// <summary>Gets the number of positions by which a recurrent state can be rolled back.</summary>
    public int RollbackLength { get; init; }

    /// <summary>Gets a value that indicates whether the context is for the layers for multi-token prediction.</summary>
    public bool IsMtp { get; init; }

    /// <summary>Gets a value that indicates whether the context computes an embedding of each token, without pooling.</summary>
    public bool Embeds { get; init; }

    /// <summary>
    /// Gets a value that indicates whether the context computes the output of the model's classification head for each sequence, instead of an
    /// embedding of each token. It requires <see cref="Embeds"/>.
    /// </summary>
    public bool Ranks { get; init; }

    /// <summary>Gets the number of CPU threads for generation.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Gets the number of CPU threads for prompts.</summary>
    public int PromptThreads { get; init; } = 1;

    /// <summary>Gets the priority and the processors of the threads.</summary>
    public ThreadPlacement Placement { get; init; } = ThreadPlacement.Default;

    public bool? FlashAttention { get; init; }

    public bool? OpOffload { get; init; }

    public GgmlType? KeyType { get; init; }

    public GgmlType? ValueType { get; init; }

    public bool? OffloadKeysAndValues { get; init; }

    public bool? IsUnified { get; init; }

    public bool? FullSizeSwa { get; init; }

    public NativeRopeScaling? RopeScaling { get; init; }

    public float? RopeFrequencyBase { get; init; }

    public float? RopeFrequencyScale { get; init; }

    public float? YarnExtrapolationFactor { get; init; }

    public float? YarnAttentionFactor { get; init; }

    public float? YarnBetaFast { get; init; }

    public float? YarnBetaSlow { get; init; }

    public int? YarnOriginalContextLength { get; init; }

    /// <summary>Gets the settings that determine how keys and values are stored, with llama.cpp's defaults applied.</summary>
    public CacheFormat DescribeCache()
    {
        llama_context_params native = ToNative();
        return new CacheFormat(
            (GgmlType)native.type_k,
            (GgmlType)native.type_v,
            native.swa_full != 0,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{native.rope_scaling_type} {native.rope_freq_base} {native.rope_freq_scale} {native.yarn_ext_factor} {native.yarn_attn_factor} {native.yarn_beta_fast} {native.yarn_beta_slow} {native.yarn_orig_ctx}"));
    }

    /// <summary>Converts the settings to llama.cpp's parameters.</summary>
    public llama_context_params ToNative()
    {
        llama_context_params parameters = LlamaApi.llama_context_default_params();
        parameters.n_ctx = (uint)ContextLength;
        parameters.n_seq_max = (uint)SequenceCount;
        parameters.n_batch = (uint)BatchSize;
        parameters.n_ubatch = (uint)MicroBatchSize;
        parameters.n_outputs_max = (uint)OutputCount;
        parameters.n_rs_seq = (uint)RollbackLength;
        parameters.ctx_type = IsMtp ? llama_context_type.LLAMA_CONTEXT_TYPE_MTP : parameters.ctx_type;
        parameters.embeddings = (byte)(Embeds ? 1 : 0);
        parameters.pooling_type = Ranks ? llama_pooling_type.LLAMA_POOLING_TYPE_RANK
            : Embeds ? llama_pooling_type.LLAMA_POOLING_TYPE_NONE
            : parameters.pooling_type;
        parameters.n_threads = Threads;
        parameters.n_threads_batch = PromptThreads;
        parameters.flash_attn_type = FlashAttention switch
        {
            true => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
            false => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
            null => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
        };
        parameters.op_offload = ToByte(OpOffload, parameters.op_offload);
        ApplyCache(ref parameters);
        ApplyRope(ref parameters);
        return parameters;
    }

    private static byte ToByte(bool? value, byte otherwise) => value switch
    {
        null => otherwise,
        true => 1,
        false => 0,
    };

    private void ApplyCache(ref llama_context_params parameters)
    {
        parameters.type_k = (ggml_type?)KeyType ?? parameters.type_k;
        parameters.type_v = (ggml_type?)ValueType ?? parameters.type_v;
        parameters.offload_kqv = ToByte(OffloadKeysAndValues, parameters.offload_kqv);
        parameters.kv_unified = ToByte(IsUnified, parameters.kv_unified);
        parameters.swa_full = ToByte(FullSizeSwa, parameters.swa_full);
    }

    private void ApplyRope(ref llama_context_params parameters)
    {
        parameters.rope_scaling_type = (llama_rope_scaling_type?)RopeScaling ?? parameters.rope_scaling_type;
        parameters.rope_freq_base = RopeFrequencyBase ?? parameters.rope_freq_base;
        parameters.rope_freq_scale = RopeFrequencyScale ?? parameters.rope_freq_scale;
        parameters.yarn_ext_factor = YarnExtrapolationFactor ?? parameters.yarn_ext_factor;
        parameters.yarn_attn_factor = YarnAttentionFactor ?? parameters.yarn_attn_factor;
        parameters.yarn_beta_fast = YarnBetaFast ?? parameters.yarn_beta_fast;
        parameters.yarn_beta_slow = YarnBetaSlow ?? parameters.yarn_beta_slow;
        parameters.yarn_orig_ctx = (uint?)YarnOriginalContextLength ?? parameters.yarn_orig_ctx;
    }
}
