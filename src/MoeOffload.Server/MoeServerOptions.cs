using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>How models are served. Plain data: making one calls nothing.</summary>
public sealed class MoeServerOptions
{
    /// <summary>How models are loaded.</summary>
    public ModelOptions Model { get; set; } = new();

    /// <summary>
    /// The context of each model. Default: four generations at once, which share one KV cache. With <see cref="MemoryLimit"/>, a
    /// <see cref="ContextOptions.ContextLength"/> of 0 takes the length that the model was trained for, and at most 8192 tokens.
    /// <see cref="ContextOptions.CountExperts"/> holds for models with experts and is passed over for dense ones.
    /// </summary>
    public ContextOptions Context { get; set; } = new() { SequenceCount = 4, KvCache = { Unified = true } };

    /// <summary>How texts become embeddings. Where neither it nor the model says how to pool, the mean is taken.</summary>
    public EmbeddingOptions Embedding { get; set; } = new();

    /// <summary>What requests that do not say otherwise sample with. Default: llama.cpp's defaults.</summary>
    public SamplingOptions Sampling { get; set; } = new();

    /// <summary>The model of requests that name none. Default: null, such a request is an error.</summary>
    public string? DefaultModel { get; set; }

    /// <summary>How long a model stays loaded that nobody uses. Default: null, for good.</summary>
    public TimeSpan? IdleUnload { get; set; }

    /// <summary>
    /// Most bytes that loaded models take with their contexts, over all devices and system memory. To keep to it the model that was
    /// idle for longest is unloaded. Default: null, what the devices have.
    /// </summary>
    public long? MemoryLimit { get; set; }

    /// <summary>How often a request that waits for a load is told how far it is. Default: one second.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The keys of which each request must have one, as <c>Authorization: Bearer KEY</c> or <c>x-api-key: KEY</c>; health checks need
    /// none. Default: none, everyone may ask.
    /// </summary>
    public IReadOnlyList<string> ApiKeys { get; set; } = [];

    /// <summary>Whether other machines may ask without a key, where the server listens on more than loopback. Default: false.</summary>
    public bool AllowRemoteWithoutKey { get; set; }

    /// <summary>
    /// Origins of web pages elsewhere that may ask, such as <c>https://example.org</c>; <c>*</c> for all. Default: none, only the
    /// server's own page.
    /// </summary>
    public IReadOnlyList<string> CorsOrigins { get; set; } = [];

    /// <summary>Most bytes of a request's body. Default: 8 MiB.</summary>
    public long MaxBodyBytes { get; set; } = 8 << 20;

    /// <summary>The time that a request's body may take to arrive. Default: 30 seconds.</summary>
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most tokens of a prompt. Default: null, what the context has room for.</summary>
    public int? MaxPromptTokens { get; set; }

    /// <summary>Most tokens of an answer; what asks for more, or says nothing, gets this. Default: null, what the context has room for.</summary>
    public int? MaxTokens { get; set; }

    /// <summary>Most answers to one request. Default: 16.</summary>
    public int MaxChoices { get; set; } = 16;

    /// <summary>Requests that are worked on at once; what comes on top is refused with status 429. Default: 256.</summary>
    public int MaxConcurrentRequests { get; set; } = 256;

    /// <summary>
    /// The time that a request may take, waiting and loading included. An answer that is being generated then ends there, as at its
    /// maximum of tokens. Default: 10 minutes.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a client may take nothing of an answer before its connection is closed. Default: 30 seconds.</summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long running requests may go on once the server stops; then they end with an error that says so. Default: 20 seconds. The
    /// host's own <c>ShutdownTimeout</c> is raised to leave room for it.
    /// </summary>
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Whether prompts and answers appear in logs, at level Debug. Default: false.</summary>
    public bool LogPrompts { get; set; }

    /// <summary>Refuses options that mean nothing.</summary>
    /// <exception cref="ArgumentException">One is missing or outside its range.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Model);
        ArgumentNullException.ThrowIfNull(Context);
        ArgumentNullException.ThrowIfNull(Embedding);
        ArgumentNullException.ThrowIfNull(Sampling);
        ArgumentNullException.ThrowIfNull(ApiKeys);
        ArgumentNullException.ThrowIfNull(CorsOrigins);
        Sampling.Validate();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxBodyBytes, nameof(MaxBodyBytes));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxChoices, nameof(MaxChoices));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConcurrentRequests, nameof(MaxConcurrentRequests));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxPromptTokens ?? 1, nameof(MaxPromptTokens));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxTokens ?? 1, nameof(MaxTokens));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MemoryLimit ?? 1, nameof(MemoryLimit));
        CheckTime(IdleUnload ?? TimeSpan.MaxValue, nameof(IdleUnload));
        CheckTime(ProgressInterval, nameof(ProgressInterval));
        CheckTime(BodyTimeout, nameof(BodyTimeout));
        CheckTime(RequestTimeout, nameof(RequestTimeout));
        CheckTime(WriteTimeout, nameof(WriteTimeout));
        CheckTime(ShutdownGrace, nameof(ShutdownGrace));
        foreach (string origin in CorsOrigins.Where(origin => origin != "*"))
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) || uri.GetLeftPart(UriPartial.Authority) != origin)
            {
                throw new ArgumentException(
                    $"{nameof(CorsOrigins)} has '{origin}': an origin is a scheme, a host and perhaps a port, such as https://example.org, without anything after.",
                    nameof(CorsOrigins));
            }
        }
    }

    // A day bounds what timers take, and says more than any request needs; being idle may last longer.
    private static void CheckTime(TimeSpan time, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
        if (name != nameof(IdleUnload))
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromDays(1), name);
        }
    }
}
