namespace MoeOffload.Server;

/// <summary>Represents what a request may ask for, and how long it may take.</summary>
public sealed class RequestLimits
{
    /// <summary>Gets or sets the most bytes of a request's body. The default is 8 MiB.</summary>
    public long MaxBodyBytes { get; set; } = 8 << 20;

    /// <summary>
    /// Gets or sets how long the server waits for more of a request's body. A body that keeps arriving is bounded by
    /// <see cref="RequestTimeout"/> alone. The default is 30 seconds.
    /// </summary>
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the most tokens of a prompt. The default is null: what the context has room for.</summary>
    public int? MaxPromptTokens { get; set; }

    /// <summary>
    /// Gets or sets the most tokens of an answer. A request that asks for more, or does not say, gets this many. The default is null: what
    /// the context has room for.
    /// </summary>
    public int? MaxTokens { get; set; }

    /// <summary>Gets or sets the most answers to one request. The default is 16.</summary>
    public int MaxChoices { get; set; } = 16;

    /// <summary>Gets or sets how many requests are processed at once; any further request gets status 429. The default is 256.</summary>
    public int MaxConcurrentRequests { get; set; } = 256;

    /// <summary>
    /// Gets or sets the time that a request may take, waiting and loading included. An answer that is being generated ends at that time as
    /// it does at its maximum of tokens. The default is 10 minutes.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Gets or sets how long a client may make no progress in reading an answer before its connection is closed. Progress means that the
    /// connection's buffer has room again, with Kestrel's default of 64 KiB that 32 KiB were taken. The default is 30 seconds.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long running requests may continue after the server begins to stop; then they end with an error that says so. The
    /// host's own <c>ShutdownTimeout</c> is raised if it is shorter than this needs. The default is 20 seconds.
    /// </summary>
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(20);

    internal void Validate(OptionFaults faults, string name)
    {
        faults.RequirePositive(MaxBodyBytes, $"{name}.{nameof(MaxBodyBytes)}");
        faults.RequirePositive(MaxPromptTokens, $"{name}.{nameof(MaxPromptTokens)}");
        faults.RequirePositive(MaxTokens, $"{name}.{nameof(MaxTokens)}");
        faults.RequirePositive(MaxChoices, $"{name}.{nameof(MaxChoices)}");
        faults.RequirePositive(MaxConcurrentRequests, $"{name}.{nameof(MaxConcurrentRequests)}");
        faults.RequireTimeLimit(BodyTimeout, $"{name}.{nameof(BodyTimeout)}");
        faults.RequireTimeLimit(RequestTimeout, $"{name}.{nameof(RequestTimeout)}");
        faults.RequireTimeLimit(WriteTimeout, $"{name}.{nameof(WriteTimeout)}");
        faults.RequireTimeLimit(ShutdownGrace, $"{name}.{nameof(ShutdownGrace)}");
    }
}
