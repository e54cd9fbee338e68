using MoeOffload.Gguf;

namespace MoeOffload;

/// <summary>Provides options for the context of a session.</summary>
public sealed record ContextOptions
{
    // llama.cpp's own limits: LLAMA_MAX_SEQ, and counts that stay clear of its 32-bit arithmetic.
    private const int MostSequences = 256;
    private const int LongestContext = 1 << 28;
    private const int LargestBatch = 1 << 20;
    private const int LongestQueue = 1 << 20;

    /// <summary>Initializes a new instance of the <see cref="ContextOptions"/> record.</summary>
    public ContextOptions()
    {
    }

    // The option groups are mutable, so a copy needs its own instances.
    private ContextOptions(ContextOptions original)
    {
        ContextLength = original.ContextLength;
        SequenceCount = original.SequenceCount;
        QueueLimit = original.QueueLimit;
        PromptTokensPerStep = original.PromptTokensPerStep;
        PrefixCache = original.PrefixCache with { };
        Speculation = original.Speculation;
        BatchSize = original.BatchSize;
        MicroBatchSize = original.MicroBatchSize;
        LogitsPerStep = original.LogitsPerStep;
        KvCache = original.KvCache with { };
        FlashAttention = original.FlashAttention;
        Threads = original.Threads with { };
        OpOffload = original.OpOffload;
        Rope = original.Rope with { };
        CountExperts = original.CountExperts;
        TraceExperts = original.TraceExperts;
        Adapters = original.Adapters;
    }

    /// <summary>
    /// Gets or sets the context length in tokens, which all sequences share. The default is 0, which selects a length for the model: the
    /// trained length, up to 8192 tokens. If the model was trained for more, the length is doubled, up to the trained length, as long as
    /// the KV cache fits into a quarter of the memory that the weights leave free. <see cref="GenerationSession.ContextLength"/> returns
    /// the length that was selected.
    /// </summary>
    public int ContextLength { get; init; }

    /// <summary>
    /// Gets or sets the number of sequence slots, which is the number of generations that can run at the same time. They share
    /// <see cref="ContextLength"/>. Further generations wait in a queue. The default is 1.
    /// </summary>
    public int SequenceCount { get; init; } = 1;

    /// <summary>
    /// Gets or sets the maximum number of generations that can wait for a slot. If the queue is full, the first read of another stream
    /// throws a <see cref="QueueFullException"/>. The default is 256. If the value is 0, no generation can wait.
    /// </summary>
    public int QueueLimit { get; init; } = 256;

    /// <summary>
    /// Gets or sets the maximum number of prompt tokens in a step while other generations are decoding. It limits how long new prompts can
    /// delay running generations. The default is <see langword="null"/>, which is one micro-batch. A smaller value makes running streams
    /// smoother, but increases the time to the first token of new ones. Prompts with a higher priority are always computed first. Within a
    /// priority, short prompts come before long ones, but a prompt that was passed over four times in a row is next. When half of the limit
    /// is used, no further prompt is started in the step.
    /// </summary>
    public int? PromptTokensPerStep { get; init; }

    /// <summary>Gets or sets the options of the prefix cache, which reuses the KV cache of earlier prompts and answers.</summary>
    public PrefixCacheOptions PrefixCache
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(PrefixCache));
    } = new();

    /// <summary>
    /// Gets or sets the options of speculative decoding, or <see langword="null"/> to disable it. The default is <see langword="null"/>.
    /// </summary>
    public SpeculationOptions? Speculation { get; init; }

    /// <summary>
    /// Gets or sets the batch size, which is the maximum number of tokens in one step. The default is <see langword="null"/>, which is
    /// 2048, as in llama.cpp.
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Gets or sets the micro-batch size, which is the maximum number of tokens that are computed together. A larger value needs a larger
    /// compute buffer. The default is <see langword="null"/>, which is 2048 if experts are kept in system memory while a device holds
    /// layers, because each micro-batch transfers the experts that it uses once; otherwise, it is 512, as in llama.cpp.
    /// </summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>
    /// Gets or sets the maximum number of positions in one step whose logits <see cref="GenerationSession.ReadLogitsAsync"/> can read. The
    /// default is <see langword="null"/>, which is one position per sequence. A larger value reads the logits of a text faster, but takes 4
    /// bytes of system memory for each token of the vocabulary and each position.
    /// </summary>
    public int? LogitsPerStep { get; init; }

    /// <summary>Gets or sets the options of the KV cache.</summary>
    public KvCacheOptions KvCache
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(KvCache));
    } = new();

    /// <summary>Gets or sets a value that specifies whether flash attention is used. The default is <see cref="FlashAttention.Auto"/>.</summary>
    public FlashAttention FlashAttention { get; init; }

    /// <summary>Gets or sets the number of CPU threads.</summary>
    public ThreadOptions Threads
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Threads));
    } = new();

    /// <summary>
    /// Gets or sets a value that indicates whether large batches copy weights from system memory to a device and are computed there. The
    /// device needs enough free memory for the largest expert tensor. The default is <see langword="null"/>, which is
    /// <see langword="true"/>.
    /// </summary>
    public bool? OpOffload { get; init; }

    /// <summary>Gets or sets the options that override the model's rotary position embedding.</summary>
    public RopeOptions Rope
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Rope));
    } = new();

    /// <summary>
    /// Gets or sets a value that indicates whether <see cref="GenerationSession.ExpertActivity"/> counts the experts that the routers
    /// select. The default is <see langword="false"/>, which has no cost. This option requires a model with experts.
    /// </summary>
    /// <remarks>
    /// If this option is enabled, the computation is split at the router of each layer so that the selection can be read. This waits for
    /// the device once per layer and micro-batch, and sends that part of the graph to an RPC server again. On a GPU it also prevents the
    /// fusion of the operations around the router, which can change results by a rounding error; on the CPU, the generated tokens are the
    /// same. Tokens from the prefix cache are not computed, so they are not counted. The counters take 1 MiB, and 8 bytes for each expert
    /// of each layer.
    /// </remarks>
    public bool CountExperts { get; init; }

    /// <summary>
    /// Gets or sets the path of a file in which the session records the experts that the routers choose for each token, or <see langword="null"/> to record
    /// nothing. The default is <see langword="null"/>, which has no cost. This option requires a model with experts.
    /// </summary>
    /// <remarks>
    /// The file gets its name when the recording is complete: when <see cref="GenerationSession.CompleteTraceAsync"/> is called, or when the session is
    /// disposed. An existing file is replaced then. <see cref="Diagnostics.ExpertTrace"/> reads it. Recording reads the choices as
    /// <see cref="CountExperts"/> does, with the same effects, and takes 4 MiB of memory for the file. The choices of draft models and of layers for
    /// multi-token prediction are not recorded. Only one session at a time can record into a file: of several, the last one to complete replaces the others.
    /// </remarks>
    public string? TraceExperts { get; init; }

    /// <summary>Gets or sets the LoRA adapters that are active when the session starts. The default is an empty list.</summary>
    public IReadOnlyList<ScaledAdapter> Adapters
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Adapters));
    } = [];

    /// <summary>Returns the options of the draft model's context.</summary>
    /// <param name="contextLength">The length of the session's own context, in tokens.</param>
    internal ContextOptions ForDraft(int contextLength) =>
        this with { ContextLength = contextLength, Speculation = null, CountExperts = false, TraceExperts = null };

    /// <summary>Returns what determines how much memory the context takes, for a placement that is planned (<see cref="TensorPlacement.Auto"/>).</summary>
    /// <returns>The properties of the context.</returns>
    public ContextShape ToShape() => new()
    {
        Length = ContextLength,
        SequenceCount = SequenceCount,
        KeyType = KvCache.KeyType ?? GgmlType.F16,
        ValueType = KvCache.ValueType ?? GgmlType.F16,
        IsOffloaded = KvCache.Offload != false,
        IsUnified = KvCache.Unified == true,
        BatchSize = BatchSize,
        MicroBatchSize = MicroBatchSize,
    };

    /// <summary>Returns the options with what a shape determines.</summary>
    internal ContextOptions With(ContextShape shape) => this with
    {
        ContextLength = shape.Length,
        SequenceCount = shape.SequenceCount,
        KvCache = KvCache with
        {
            KeyType = shape.KeyType,
            ValueType = shape.ValueType,
            Offload = shape.IsOffloaded ? KvCache.Offload : false,
            Unified = shape.IsUnified ? true : KvCache.Unified,
        },
        BatchSize = shape.BatchSize,
        MicroBatchSize = shape.MicroBatchSize,
    };

    /// <summary>Checks the options, as creating a session does. What depends on the model is not checked.</summary>
    /// <exception cref="ArgumentException">An option is not valid, or options contradict each other.</exception>
    public void Validate()
    {
        Check(ContextLength, 0, LongestContext, nameof(ContextLength), "0 selects the default for the model and the memory.");
        Check(SequenceCount, 1, MostSequences, nameof(SequenceCount), string.Empty);
        Check(BatchSize, 1, LargestBatch, nameof(BatchSize), "null selects 2048.");
        Check(MicroBatchSize, 1, LargestBatch, nameof(MicroBatchSize), "null selects the default.");
        Check(QueueLimit, 0, LongestQueue, nameof(QueueLimit), "0 means that none can wait.");
        Check(LogitsPerStep, 1, LargestBatch, nameof(LogitsPerStep), "null selects one for each sequence.");
        Check(PromptTokensPerStep, 1, LargestBatch, nameof(PromptTokensPerStep), "null selects one micro-batch.");
        if (BatchSize < SequenceCount)
        {
            throw new ArgumentException($"BatchSize is {BatchSize}, but each of the {SequenceCount} sequences needs one token per step. Increase BatchSize or decrease SequenceCount.", nameof(BatchSize));
        }

        if (ContextLength > 0 && ContextLength < SequenceCount)
        {
            throw new ArgumentException($"A ContextLength of {ContextLength} has no room for {SequenceCount} sequences. Increase ContextLength or decrease SequenceCount.", nameof(ContextLength));
        }

        if (TraceExperts is not null && string.IsNullOrWhiteSpace(TraceExperts))
        {
            throw new ArgumentException("TraceExperts is empty. Specify the path of a file, or null to record nothing.", nameof(TraceExperts));
        }

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
            throw new ArgumentOutOfRangeException(name, value, $"Specify a value from {least} to {most}. {hint}".TrimEnd());
        }
    }
}
