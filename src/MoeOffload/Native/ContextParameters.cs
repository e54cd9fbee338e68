using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>What a context is made of: the caller's options, our defaults where they are silent, llama.cpp's own for all the rest.</summary>
internal sealed class ContextParameters
{
    // Each micro-batch of a prompt moves the experts that it uses to the device once, so larger ones move less.
    private const int OffloadedMicroBatch = 2048;

    private readonly ContextOptions _options;
    private readonly bool _expertsOffloaded;
    private readonly bool _embeds;

    /// <summary>Resolves validated options for a model.</summary>
    /// <param name="options">The options.</param>
    /// <param name="expertsOffloaded">Whether experts stay in system memory while a device holds layers.</param>
    /// <param name="embeds">Whether the context gives an embedding of each token, not pooled.</param>
    /// <param name="isMtp">Whether the context is that of the layers for multi-token prediction beside a usual one.</param>
    public ContextParameters(ContextOptions options, bool expertsOffloaded, bool embeds = false, bool isMtp = false)
    {
        _options = options;
        _expertsOffloaded = expertsOffloaded;
        _embeds = embeds;
        IsMtp = isMtp;
        Threads = options.Threads.Decode ?? ThreadOptions.UsualDecode;
        PromptThreads = options.Threads.Prompt ?? Threads;
    }

    /// <summary>What was asked for.</summary>
    public ContextOptions Options => _options;

    /// <summary>Whether the context is that of the layers for multi-token prediction.</summary>
    public bool IsMtp { get; }

    /// <summary>Sequences that can run at once.</summary>
    public int SequenceCount => _options.SequenceCount;

    /// <summary>Whether the experts that are chosen are counted.</summary>
    public bool CountExperts => _options.CountExperts;

    /// <summary>The LoRA adapters to begin with.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters => _options.Adapters;

    /// <summary>Length in tokens as the options have it, 0 for the model's.</summary>
    public int ContextLength => _options.ContextLength;

    /// <summary>Requests that can wait for a sequence.</summary>
    public int QueueLimit => _options.QueueLimit;

    /// <summary>Most prompt tokens of a step while others decode.</summary>
    public int PromptTokensPerStep => _options.PromptTokensPerStep ?? MicroBatchSize;

    /// <summary>What is kept of prompts and answers.</summary>
    public PrefixCacheOptions PrefixCache => _options.PrefixCache;

    /// <summary>How tokens are guessed, or null.</summary>
    public SpeculationOptions? Speculation => _options.Speculation;

    /// <summary>Whether all sequences share one buffer.</summary>
    public bool IsUnified => _options.KvCache.Unified == true;

    /// <summary>Most tokens that are computed at once.</summary>
    public int MicroBatchSize => (int)ToNative().n_ubatch;

    /// <summary>Most tokens of one step that have logits or embeddings of their own.</summary>
    public int OutputCount => (int)(_embeds ? ToNative().n_batch : ToNative().n_outputs_max);

    /// <summary>Tokens of one step whose hidden states are kept.</summary>
    public int HiddenCount => Speculation is { UseMtpLayers: true } ? (int)ToNative().n_batch : 0;

    /// <summary>CPU threads that generate.</summary>
    public int Threads { get; }

    /// <summary>CPU threads that process prompts.</summary>
    public int PromptThreads { get; }

    /// <summary>Parts of the KV cache that are rounded up on their own.</summary>
    public int PartCount => IsUnified ? 1 : SequenceCount;

    /// <summary>Cells of the KV cache, rounded up as llama.cpp does.</summary>
    /// <param name="trainedLength">The length that the model was trained for, in tokens.</param>
    public long CellCount(int trainedLength)
    {
        const long Multiple = 256;
        long length = _options.ContextLength == 0 ? trainedLength : _options.ContextLength;
        long part = (length + Multiple - 1) / Multiple * Multiple / PartCount;
        return Math.Max((part + Multiple - 1) / Multiple, 1) * Multiple * PartCount;
    }

    /// <summary>The same of the layers for multi-token prediction.</summary>
    public ContextParameters OfMtp() => new(_options, _expertsOffloaded, isMtp: true);

    /// <summary>The parameters as llama.cpp takes them.</summary>
    public llama_context_params ToNative()
    {
        llama_context_params parameters = LlamaApi.llama_context_default_params();
        parameters.n_ctx = (uint)_options.ContextLength;
        parameters.n_seq_max = (uint)SequenceCount;
        parameters.n_batch = (uint?)_options.BatchSize ?? parameters.n_batch;
        parameters.n_ubatch = Math.Min(
            (uint?)_options.MicroBatchSize ?? (_expertsOffloaded ? OffloadedMicroBatch : parameters.n_ubatch), parameters.n_batch);

        // Only the last token of each sequence is ever sampled from, and those that were guessed; embeddings are of all.
        uint outputs = (uint)Math.Max(SequenceCount * (1 + (Speculation?.MaxDraftTokens ?? 0)), _options.LogitsPerStep ?? 0);
        uint sampled = Math.Min(outputs, parameters.n_batch);
        parameters.n_outputs_max = _embeds ? 0 : sampled;

        // A recurrent state must be taken back from a guess that was wrong; llama.cpp passes over it for all other models.
        parameters.n_rs_seq = (uint)(Speculation?.MaxDraftTokens ?? 0);
        if (IsMtp)
        {
            // What it catches up on is given to it in parts.
            parameters.ctx_type = llama_context_type.LLAMA_CONTEXT_TYPE_MTP;
            parameters.n_rs_seq = 0;
            parameters.n_batch = Math.Min(parameters.n_batch, Math.Max(parameters.n_ubatch, sampled));
        }

        parameters.embeddings = (byte)(_embeds ? 1 : 0);
        parameters.pooling_type = _embeds ? llama_pooling_type.LLAMA_POOLING_TYPE_NONE : parameters.pooling_type;
        parameters.n_threads = Threads;
        parameters.n_threads_batch = PromptThreads;
        parameters.flash_attn_type = _options.FlashAttention switch
        {
            FlashAttention.On => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
            FlashAttention.Off => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
            _ => llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
        };
        parameters.op_offload = ToByte(_options.OpOffload, parameters.op_offload);
        Apply(_options.KvCache, ref parameters);
        Apply(_options.Rope, ref parameters);
        return parameters;
    }

    private static void Apply(KvCacheOptions cache, ref llama_context_params parameters)
    {
        parameters.type_k = (ggml_type?)cache.KeyType ?? parameters.type_k;
        parameters.type_v = (ggml_type?)cache.ValueType ?? parameters.type_v;
        parameters.offload_kqv = ToByte(cache.Offload, parameters.offload_kqv);
        parameters.kv_unified = ToByte(cache.Unified, parameters.kv_unified);
        parameters.swa_full = ToByte(cache.FullSizeSwa, parameters.swa_full);
    }

    private static void Apply(RopeOptions rope, ref llama_context_params parameters)
    {
        parameters.rope_scaling_type = rope.Scaling switch
        {
            RopeScaling.None => llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_NONE,
            RopeScaling.Linear => llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_LINEAR,
            RopeScaling.Yarn => llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_YARN,
            RopeScaling.LongRope => llama_rope_scaling_type.LLAMA_ROPE_SCALING_TYPE_LONGROPE,
            _ => parameters.rope_scaling_type,
        };
        parameters.rope_freq_base = rope.FrequencyBase ?? parameters.rope_freq_base;
        parameters.rope_freq_scale = rope.FrequencyScale ?? parameters.rope_freq_scale;
        parameters.yarn_ext_factor = rope.YarnExtrapolation ?? parameters.yarn_ext_factor;
        parameters.yarn_attn_factor = rope.YarnAttention ?? parameters.yarn_attn_factor;
        parameters.yarn_beta_fast = rope.YarnBetaFast ?? parameters.yarn_beta_fast;
        parameters.yarn_beta_slow = rope.YarnBetaSlow ?? parameters.yarn_beta_slow;
        parameters.yarn_orig_ctx = (uint?)rope.YarnOriginalContext ?? parameters.yarn_orig_ctx;
    }

    private static byte ToByte(bool? value, byte otherwise) => value switch
    {
        null => otherwise,
        true => 1,
        false => 0,
    };
}
