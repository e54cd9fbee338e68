using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>
/// Represents the parameters of a context: the caller's options, the defaults of this library for options that are not set, and those of
/// llama.cpp for everything else.
/// </summary>
internal sealed class ContextParameters
{
    // Each micro-batch of a prompt copies the experts that it uses to the device once, so larger micro-batches copy less.
    private const int OffloadedMicroBatch = 2048;

    private readonly ContextOptions _options;
    private readonly bool _expertsOffloaded;
    private readonly bool _embeds;
    private readonly bool _ranks;

    /// <summary>Resolves validated options for a model.</summary>
    /// <param name="options">The options.</param>
    /// <param name="expertsOffloaded"><see langword="true"/> if experts are kept in system memory while a device holds layers.</param>
    /// <param name="embeds"><see langword="true"/> if the context computes an embedding of each token, without pooling.</param>
    /// <param name="ranks"><see langword="true"/> if the context computes the output of the model's classification head for each text instead.</param>
    /// <param name="isMtp">
    /// <see langword="true"/> if the context is for the layers for multi-token prediction, in addition to the main context.
    /// </param>
    public ContextParameters(ContextOptions options, bool expertsOffloaded, bool embeds = false, bool ranks = false, bool isMtp = false)
    {
        _options = options;
        _expertsOffloaded = expertsOffloaded;
        _embeds = embeds;
        _ranks = ranks;
        IsMtp = isMtp;
        int batch = options.BatchSize ?? ContextDefaults.BatchSize;
        MicroBatchSize = Math.Min(
            options.MicroBatchSize ?? (expertsOffloaded ? OffloadedMicroBatch : ContextDefaults.MicroBatchSize), batch);

        // Only the last token of each sequence and the draft tokens are sampled from. Embeddings are computed for all tokens.
        long outputs = Math.Max(SequenceCount * (1L + (Speculation?.MaxDraftTokens ?? 0)), options.LogitsPerStep ?? 0);
        int sampled = (int)Math.Min(outputs, batch);

        // The layers for multi-token prediction process the tokens that they have missed in parts.
        BatchSize = isMtp ? Math.Min(batch, Math.Max(MicroBatchSize, sampled)) : batch;
        OutputCount = embeds ? BatchSize : sampled;
        HiddenCount = Speculation is { UseMtpLayers: true } ? BatchSize : 0;
        Threads = options.Threads.DecodeCount;
        PromptThreads = options.Threads.Prompt ?? Threads;
        Placement = options.Threads.Place(Math.Max(Threads, PromptThreads));
        AdaptsThreads = options.Threads is { Adaptive: true, Decode: null, Prompt: null } && Threads > 1;
    }

    /// <summary>Gets the options.</summary>
    public ContextOptions Options => _options;

    /// <summary>Gets a value that indicates whether the context is for the layers for multi-token prediction.</summary>
    public bool IsMtp { get; }

    /// <summary>Gets the number of sequences.</summary>
    public int SequenceCount => _options.SequenceCount;

    /// <summary>Gets a value that indicates whether the selected experts are counted.</summary>
    public bool CountExperts => _options.CountExperts;

    /// <summary>Gets the path of the file that the selected experts are recorded in, or null to record nothing.</summary>
    public string? TraceExperts => _options.TraceExperts;

    /// <summary>Gets the initial LoRA adapters.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters => _options.Adapters;

    /// <summary>Gets the context length in tokens, or 0 for the default of the model.</summary>
    public int ContextLength => _options.ContextLength;

    /// <summary>Gets the maximum number of requests that can wait for a sequence.</summary>
    public int QueueLimit => _options.QueueLimit;

    /// <summary>Gets the maximum number of prompt tokens in a step while other generations decode.</summary>
    public int PromptTokensPerStep => _options.PromptTokensPerStep ?? MicroBatchSize;

    /// <summary>Gets the options of the prefix cache.</summary>
    public PrefixCacheOptions PrefixCache => _options.PrefixCache;

    /// <summary>Gets the options of speculative decoding, or null if it is disabled.</summary>
    public SpeculationOptions? Speculation => _options.Speculation;

    /// <summary>Gets a value that indicates whether all sequences share one buffer.</summary>
    public bool IsUnified => _options.KvCache.Unified == true;

    /// <summary>Gets the micro-batch size in tokens.</summary>
    public int MicroBatchSize { get; }

    /// <summary>Gets the batch size in tokens.</summary>
    public int BatchSize { get; }

    /// <summary>Gets the maximum number of tokens in a step that have logits or embeddings of their own.</summary>
    public int OutputCount { get; }

    /// <summary>Gets the number of tokens in a step whose hidden states are kept.</summary>
    public int HiddenCount { get; }

    /// <summary>Gets the number of CPU threads for decoding.</summary>
    public int Threads { get; }

    /// <summary>Gets the number of CPU threads for prefill.</summary>
    public int PromptThreads { get; }

    /// <summary>Gets the priority and the processors of the threads.</summary>
    public ThreadPlacement Placement { get; }

    /// <summary>Gets a value that indicates whether fewer threads compute if that is faster.</summary>
    public bool AdaptsThreads { get; }

    /// <summary>Gets the number of parts of the KV cache that are rounded up separately.</summary>
    public int PartCount => IsUnified ? 1 : SequenceCount;

    /// <summary>Returns the number of cells in the KV cache, rounded up as in llama.cpp.</summary>
    /// <param name="trainedLength">The context length that the model was trained for, in tokens.</param>
    public long CellCount(int trainedLength)
    {
        const long Multiple = 256;
        long length = _options.ContextLength == 0 ? trainedLength : _options.ContextLength;
        long part = (length + Multiple - 1) / Multiple * Multiple / PartCount;
        return Math.Max((part + Multiple - 1) / Multiple, 1) * Multiple * PartCount;
    }

    /// <summary>Returns the parameters of the context for the layers for multi-token prediction.</summary>
    public ContextParameters OfMtp() => new(_options, _expertsOffloaded, isMtp: true);

    /// <summary>Converts the parameters to the settings of llama.cpp.</summary>
    public ContextSettings ToSettings() => new()
    {
        ContextLength = _options.ContextLength,
        SequenceCount = SequenceCount,
        BatchSize = BatchSize,
        MicroBatchSize = MicroBatchSize,
        OutputCount = _embeds ? 0 : OutputCount,

        // A recurrent state must be reset after a wrong draft token. llama.cpp ignores this setting for all other models.
        RollbackLength = IsMtp ? 0 : Speculation?.MaxDraftTokens ?? 0,
        IsMtp = IsMtp,
        Embeds = _embeds,
        Ranks = _ranks,
        Threads = Threads,
        PromptThreads = PromptThreads,
        Placement = Placement,
        FlashAttention = _options.FlashAttention switch
        {
            FlashAttention.On => true,
            FlashAttention.Off => false,
            _ => null,
        },
        OpOffload = _options.OpOffload,
        KeyType = _options.KvCache.KeyType,
        ValueType = _options.KvCache.ValueType,
        OffloadKeysAndValues = _options.KvCache.Offload,
        IsUnified = _options.KvCache.Unified,
        FullSizeSwa = _options.KvCache.FullSizeSwa,
        RopeScaling = _options.Rope.Scaling switch
        {
            RopeScaling.None => NativeRopeScaling.None,
            RopeScaling.Linear => NativeRopeScaling.Linear,
            RopeScaling.Yarn => NativeRopeScaling.Yarn,
            RopeScaling.LongRope => NativeRopeScaling.LongRope,
            _ => null,
        },
        RopeFrequencyBase = _options.Rope.FrequencyBase,
        RopeFrequencyScale = _options.Rope.FrequencyScale,
        YarnExtrapolationFactor = _options.Rope.YarnExtrapolationFactor,
        YarnAttentionFactor = _options.Rope.YarnAttentionFactor,
        YarnBetaFast = _options.Rope.YarnBetaFast,
        YarnBetaSlow = _options.Rope.YarnBetaSlow,
        YarnOriginalContextLength = _options.Rope.YarnOriginalContextLength,
    };
}
