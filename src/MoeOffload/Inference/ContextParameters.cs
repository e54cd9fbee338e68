using MoeOffload.Native;

namespace MoeOffload.Inference;

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
        int batch = options.BatchSize ?? ContextDefaults.BatchSize;
        MicroBatchSize = Math.Min(
            options.MicroBatchSize ?? (expertsOffloaded ? OffloadedMicroBatch : ContextDefaults.MicroBatchSize), batch);

        // Only the last token of each sequence is ever sampled from, and those that were guessed; embeddings are of all.
        long outputs = Math.Max(SequenceCount * (1L + (Speculation?.MaxDraftTokens ?? 0)), options.LogitsPerStep ?? 0);
        int sampled = (int)Math.Min(outputs, batch);

        // What the layers for multi-token prediction catch up on is given to them in parts.
        BatchSize = isMtp ? Math.Min(batch, Math.Max(MicroBatchSize, sampled)) : batch;
        OutputCount = embeds ? BatchSize : sampled;
        HiddenCount = Speculation is { UseMtpLayers: true } ? BatchSize : 0;
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
    public int MicroBatchSize { get; }

    /// <summary>Most tokens of one step.</summary>
    public int BatchSize { get; }

    /// <summary>Most tokens of one step that have logits or embeddings of their own.</summary>
    public int OutputCount { get; }

    /// <summary>Tokens of one step whose hidden states are kept.</summary>
    public int HiddenCount { get; }

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

    /// <summary>Maps all of it onto what llama.cpp takes.</summary>
    public ContextSettings ToSettings() => new()
    {
        ContextLength = _options.ContextLength,
        SequenceCount = SequenceCount,
        BatchSize = BatchSize,
        MicroBatchSize = MicroBatchSize,
        OutputCount = _embeds ? 0 : OutputCount,

        // A recurrent state must be taken back from a guess that was wrong; llama.cpp passes over it for all other models.
        RollbackLength = IsMtp ? 0 : Speculation?.MaxDraftTokens ?? 0,
        IsMtp = IsMtp,
        Embeds = _embeds,
        Threads = Threads,
        PromptThreads = PromptThreads,
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
        YarnExtrapolation = _options.Rope.YarnExtrapolation,
        YarnAttention = _options.Rope.YarnAttention,
        YarnBetaFast = _options.Rope.YarnBetaFast,
        YarnBetaSlow = _options.Rope.YarnBetaSlow,
        YarnOriginalContext = _options.Rope.YarnOriginalContext,
    };
}
