namespace MoeOffload;

/// <summary>The context of a session. Plain data: making one calls nothing. Null takes the default that is said.</summary>
public sealed record ContextOptions
{
    // llama.cpp's own limits: LLAMA_MAX_SEQ, and counts that stay clear of its 32-bit arithmetic.
    private const int MostSequences = 256;
    private const int LongestContext = 1 << 28;
    private const int LargestBatch = 1 << 20;
    private const int LongestQueue = 1 << 20;

    /// <summary>
    /// Length in tokens, over all sequences. Default: 0, which takes the length that the model was trained for, up to 8192 tokens; and
    /// beyond that, doubled up to the trained length, as much as fits into a quarter of the memory that is left beside the weights.
    /// <see cref="GenerationSession.ContextLength"/> is the length that was taken.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>Generations that can run at once; they share <see cref="ContextLength"/>, and more wait. Default: 1.</summary>
    public int SequenceCount { get; init; } = 1;

    /// <summary>
    /// Generations that may wait for others to end; beyond, reading a stream for the first time throws a
    /// <see cref="QueueFullException"/>. Default: 256. 0 lets none wait.
    /// </summary>
    public int QueueLimit { get; init; } = 256;

    /// <summary>
    /// Most tokens of prompts in a step for which other generations wait: it bounds how long new prompts can delay them. Default: null, one
    /// micro-batch. Less makes streams smoother and the first token of new ones later. Short prompts come before long ones, which
    /// come first once they were passed over four times in a row; once half of the limit is taken, no other prompt is begun. More urgent ones
    /// come before all of them.
    /// </summary>
    public int? PromptTokensPerStep { get; init; }

    /// <summary>What is kept of prompts and answers for requests that begin the same.</summary>
    public PrefixCacheOptions PrefixCache { get; init; } = new();

    /// <summary>How the next tokens of generations are guessed, to compute several in one step. Default: null, they are not.</summary>
    public SpeculationOptions? Speculation { get; init; }

    /// <summary>Most tokens of one step. Default: 2048, llama.cpp's.</summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Most tokens that are computed at once. Default: 2048 where experts are kept in system memory beside a device, since each
    /// micro-batch moves the experts that it uses once, else 512, llama.cpp's. More takes more memory for compute.
    /// </summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>
    /// Positions of one step whose logits <see cref="GenerationSession.ReadLogitsAsync"/> can read. Default: null, one for each sequence.
    /// More reads texts faster, and takes 4 bytes for each token of the vocabulary and each position, in system memory.
    /// </summary>
    public int? LogitsPerStep { get; init; }

    /// <summary>How the KV cache is stored.</summary>
    public KvCacheOptions KvCache { get; init; } = new();

    /// <summary>When attention is computed by the flash attention kernels. Default: where every device has them.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>How many CPU threads compute.</summary>
    public ThreadOptions Threads { get; init; } = new();

    /// <summary>
    /// Whether large batches copy weights from system memory to a device and compute there. Default: true. A device needs room for the
    /// largest expert tensor.
    /// </summary>
    public bool? OpOffload { get; init; }

    /// <summary>Overrides of the rotary position embedding.</summary>
    public RopeOptions Rope { get; init; } = new();

    /// <summary>
    /// Whether <see cref="GenerationSession.ExpertActivity"/> counts which experts the routers choose. Default: false, which costs nothing.
    /// True cuts the computation at each layer's choice and reads it: once a layer for each micro-batch a device is waited for, and an RPC
    /// server gets that part of the graph anew. A device's kernels cannot fuse the operations around the choice then, which may change a
    /// result by a rounding; on the CPU all tokens are the same. What the prefix cache holds is not computed, nor counted. It takes 1 MiB,
    /// and 8 bytes for each expert of each layer. For models with experts only.
    /// </summary>
    public bool CountExperts { get; init; }

    /// <summary>LoRA adapters of the model that the session begins with. Default: none.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters { get; init; } = [];

    internal void Validate()
    {
        Check(ContextLength, 0, LongestContext, nameof(ContextLength), "0 takes the default for the model and the memory.");
        Check(SequenceCount, 1, MostSequences, nameof(SequenceCount), string.Empty);
        Check(BatchSize, 1, LargestBatch, nameof(BatchSize), "null takes 2048.");
        Check(MicroBatchSize, 1, LargestBatch, nameof(MicroBatchSize), "null takes the default.");
        Check(QueueLimit, 0, LongestQueue, nameof(QueueLimit), "0 lets none wait.");
        Check(LogitsPerStep, 1, LargestBatch, nameof(LogitsPerStep), "null takes one for each sequence.");
        Check(PromptTokensPerStep, 1, LargestBatch, nameof(PromptTokensPerStep), "null takes one micro-batch.");
        if (BatchSize < SequenceCount)
        {
            throw new ArgumentException($"BatchSize is {BatchSize}, but each of {SequenceCount} sequences needs a token of each step.", nameof(BatchSize));
        }

        if (ContextLength > 0 && ContextLength < SequenceCount)
        {
            throw new ArgumentException($"ContextLength {ContextLength} has no room for {SequenceCount} sequences.", nameof(ContextLength));
        }

        ArgumentNullException.ThrowIfNull(Adapters);
        ArgumentNullException.ThrowIfNull(KvCache);
        ArgumentNullException.ThrowIfNull(Threads);
        ArgumentNullException.ThrowIfNull(Rope);
        ArgumentNullException.ThrowIfNull(PrefixCache);
        OptionRange.CheckDefined(FlashAttention, nameof(FlashAttention));
        KvCache.Validate(FlashAttention);
        Threads.Validate();
        Rope.Validate();
        PrefixCache.Validate();
        Speculation?.Validate();
    }

    private static void Check(int? value, int least, int most, string name, string hint)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"Use {least} to {most}. {hint}".TrimEnd());
        }
    }
}
