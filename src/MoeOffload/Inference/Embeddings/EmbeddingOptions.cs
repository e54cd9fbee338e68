namespace MoeOffload.Embeddings;

/// <summary>How texts become embeddings. Plain data: making one calls nothing. Null takes the default that is said.</summary>
public sealed record EmbeddingOptions
{
    private const int LongestByDefault = 8192;
    private const int MostTexts = 256;
    private const int LargestBatch = 1 << 20;

    /// <summary>How a text's tokens are pooled. Default: as the model says.</summary>
    public EmbeddingPooling? Pooling { get; init; }

    /// <summary>
    /// Whether an embedding of a text is scaled to the Euclidean length 1, so that a dot product is the cosine. Default: true, as OpenAI
    /// and llama.cpp's server have it. Embeddings of single tokens are left as they are.
    /// </summary>
    public bool Normalize { get; init; } = true;

    /// <summary>
    /// Whether <c>&lt;|special|&gt;</c> texts become special tokens, as in llama.cpp's server. Turn it off for texts from strangers.
    /// </summary>
    public bool ParseSpecialTokens { get; init; } = true;

    /// <summary>The longest text, in tokens. Default: 0, what the model was trained for, but at most 8192.</summary>
    public int ContextLength { get; init; }

    /// <summary>
    /// Most tokens that are computed at once, of one text or several together. Default: 2048 where experts are kept in system memory
    /// beside a device, else 512; always the longest text where tokens see those after them, since such a text cannot be cut.
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>Most texts that are computed at once. Default: 32, or 1 where each text needs a state of its own.</summary>
    public int? SequenceCount { get; init; }

    /// <summary>When attention is computed by the flash attention kernels. Default: where every device has them.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>How many CPU threads compute; <see cref="ThreadOptions.Prompt"/> counts.</summary>
    public ThreadOptions Threads { get; init; } = new();

    /// <summary>Whether large batches copy weights from system memory to a device and compute there. Default: true.</summary>
    public bool? OpOffload { get; init; }

    /// <summary>LoRA adapters of the model that count. Default: none.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters { get; init; } = [];

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Adapters);
        OptionRange.CheckDefined(Pooling, nameof(Pooling));
        OptionRange.Check(ContextLength, 0, LargestBatch, nameof(ContextLength), "0 takes the model's");
        OptionRange.Check(BatchSize, 1, LargestBatch, nameof(BatchSize), "null takes the default");
        OptionRange.Check(SequenceCount, 1, MostTexts, nameof(SequenceCount), "null takes the default");
        OptionRange.CheckDefined(FlashAttention, nameof(FlashAttention));
        ArgumentNullException.ThrowIfNull(Threads);
        Threads.Validate();
    }

    /// <summary>The context that computes them.</summary>
    /// <param name="trainedLength">The length that the model was trained for, in tokens.</param>
    /// <param name="isCausal">Whether a token sees only those before it.</param>
    /// <param name="isRecurrent">Whether each text needs a state of its own.</param>
    /// <param name="expertsOffloaded">Whether experts stay in system memory while a device holds layers.</param>
    internal ContextOptions ToContext(int trainedLength, bool isCausal, bool isRecurrent, bool expertsOffloaded)
    {
        // Beyond it there are no positions, and llama.cpp would end the process over one.
        if (ContextLength > trainedLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(ContextLength), ContextLength, $"The model was trained for texts of {trainedLength} tokens: ask for no more.");
        }

        int length = ContextLength == 0 ? Math.Min(trainedLength, LongestByDefault) : ContextLength;
        int batch = BatchSize ?? (expertsOffloaded ? 2048 : 512);
        batch = isCausal ? Math.Min(batch, length) : Math.Max(batch, length);
        return new ContextOptions
        {
            ContextLength = length,
            SequenceCount = Math.Min(SequenceCount ?? (isRecurrent ? 1 : 32), Math.Min(batch, length)),
            BatchSize = batch,
            MicroBatchSize = batch,
            KvCache = { Unified = true },
            FlashAttention = FlashAttention,
            Threads = Threads,
            OpOffload = OpOffload,
            Adapters = Adapters,
        };
    }
}
