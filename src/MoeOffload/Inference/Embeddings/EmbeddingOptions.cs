namespace MoeOffload.Embeddings;

/// <summary>
/// Provides options for an <see cref="Embedder"/> or a <see cref="Reranker"/>. A reranker ignores <see cref="Pooling"/> and
/// <see cref="Normalize"/>.
/// </summary>
public sealed record EmbeddingOptions
{
    private const int LongestByDefault = 8192;

    // A decoder computes the logits of all tokens of a text, which a ranked text needs at once.
    private const int LongestRankedByDefault = 2048;
    private const int MostTexts = 256;
    private const int LargestBatch = 1 << 20;

    /// <summary>Initializes a new instance of the <see cref="EmbeddingOptions"/> record.</summary>
    public EmbeddingOptions()
    {
    }

    // The option groups are mutable, so a copy needs its own instances.
    private EmbeddingOptions(EmbeddingOptions original)
    {
        Pooling = original.Pooling;
        Normalize = original.Normalize;
        ParseSpecialTokens = original.ParseSpecialTokens;
        ContextLength = original.ContextLength;
        BatchSize = original.BatchSize;
        SequenceCount = original.SequenceCount;
        FlashAttention = original.FlashAttention;
        Threads = original.Threads with { };
        OpOffload = original.OpOffload;
        Adapters = original.Adapters;
    }

    /// <summary>
    /// Gets or sets how the token embeddings of a text are pooled, or <see langword="null"/> to use the model's pooling. The default is
    /// <see langword="null"/>.
    /// </summary>
    public EmbeddingPooling? Pooling { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether embeddings of texts are scaled to the Euclidean length 1, so that the dot product of two
    /// embeddings is their cosine similarity. Embeddings of single tokens are not scaled. The default is <see langword="true"/>, as in the
    /// servers of OpenAI and llama.cpp.
    /// </summary>
    public bool Normalize { get; init; } = true;

    /// <summary>
    /// Gets or sets a value that indicates whether text such as <c>&lt;|special|&gt;</c> is tokenized as special tokens. Set it to
    /// <see langword="false"/> for untrusted texts. The default is <see langword="true"/>, as in llama.cpp's server.
    /// </summary>
    public bool ParseSpecialTokens { get; init; } = true;

    /// <summary>
    /// Gets or sets the maximum length of a text, in tokens. The default is 0, which is the trained length of the model, but at most 8192, or
    /// 2048 for a reranker that is a decoder.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>
    /// Gets or sets the maximum number of tokens that are computed together, from one or several texts. The default is
    /// <see langword="null"/>, which is 2048 if experts are kept in system memory while a device holds layers; otherwise, 512. If attention
    /// is not causal, a text cannot be split, so the batch is at least as large as the longest text.
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Gets or sets the maximum number of texts that are computed together. The default is <see langword="null"/>, which is 32, or 1 if the
    /// model is recurrent.
    /// </summary>
    public int? SequenceCount { get; init; }

    /// <summary>Gets or sets a value that specifies whether flash attention is used. The default is <see cref="FlashAttention.Auto"/>.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>Gets or sets the number of CPU threads. Embeddings use <see cref="ThreadOptions.Prompt"/>.</summary>
    public ThreadOptions Threads
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Threads));
    } = new();

    /// <summary>
    /// Gets or sets a value that indicates whether large batches copy weights from system memory to a device and are computed there. The
    /// default is <see langword="null"/>, which is <see langword="true"/>.
    /// </summary>
    public bool? OpOffload { get; init; }

    /// <summary>Gets or sets the LoRA adapters that are applied. The default is an empty list.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Adapters));
    } = [];

    /// <summary>Checks the options, as creating an embedder does. What depends on the model is not checked.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    public void Validate()
    {
        OptionRange.CheckDefined(Pooling, nameof(Pooling));
        OptionRange.Check(ContextLength, 0, LargestBatch, nameof(ContextLength), "0 for the model's context length");
        OptionRange.Check(BatchSize, 1, LargestBatch, nameof(BatchSize), "null for the default");
        OptionRange.Check(SequenceCount, 1, MostTexts, nameof(SequenceCount), "null for the default");
        OptionRange.CheckDefined(FlashAttention, nameof(FlashAttention));
        Threads.Validate();
    }

    /// <summary>Creates the options of the context that computes the embeddings.</summary>
    /// <param name="trainedLength">The context length that the model was trained for, in tokens.</param>
    /// <param name="isCausal"><see langword="true"/> if attention is causal.</param>
    /// <param name="isRecurrent"><see langword="true"/> if each text needs a recurrent state of its own.</param>
    /// <param name="expertsOffloaded"><see langword="true"/> if experts are kept in system memory while a device holds layers.</param>
    /// <param name="ranks"><see langword="true"/> if the context ranks texts, so that a text cannot be split.</param>
    internal ContextOptions ToContext(int trainedLength, bool isCausal, bool isRecurrent, bool expertsOffloaded, bool ranks = false)
    {
        // The model has no positions beyond the trained length, and llama.cpp would abort the process if one were used.
        if (ContextLength > trainedLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(ContextLength), ContextLength, $"The model was trained for texts of at most {trainedLength} tokens. Specify a smaller value.");
        }

        int length = ContextLength == 0 ? Math.Min(trainedLength, ranks && isCausal ? LongestRankedByDefault : LongestByDefault) : ContextLength;
        int batch = BatchSize ?? (expertsOffloaded ? 2048 : 512);
        batch = isCausal && !ranks ? Math.Min(batch, length) : Math.Max(batch, length);
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
