using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>Represents the limits of requests.</summary>
public sealed class RequestLimits
{
    /// <summary>Gets or sets the maximum size of a request body in bytes. The default is 32 MiB, for images.</summary>
    public long MaxBodyBytes { get; set; } = 32 << 20;

    /// <summary>
    /// Gets or sets the maximum time during which nothing of a request body arrives. The whole body is limited only by
    /// <see cref="RequestTimeout"/>. The default is 30 seconds.
    /// </summary>
    public TimeSpan BodyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the maximum number of tokens of a prompt. The default is <see langword="null"/>: the context is the limit.</summary>
    public int? MaxPromptTokens { get; set; }

    /// <summary>
    /// Gets or sets the maximum number of tokens of an answer, which also applies to requests that ask for more or do not specify it. The
    /// default is <see langword="null"/>: the context is the limit.
    /// </summary>
    public int? MaxTokens { get; set; }

    /// <summary>Gets or sets the maximum number of answers to a request. The default is 16.</summary>
    public int MaxChoices { get; set; } = 16;

    /// <summary>Gets or sets the maximum number of concurrent requests. Further requests receive status 429. The default is 256.</summary>
    public int MaxConcurrentRequests { get; set; } = 256;

    /// <summary>
    /// Gets or sets the maximum duration of a request, including waiting and loading. When it is reached, an answer that is being generated
    /// ends as if it had reached its maximum number of tokens. The default is 10 minutes.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Gets or sets the maximum time during which a client makes no progress in reading an answer, before its connection is closed. Progress
    /// means that the connection's buffers have free space again, which takes about 100 KiB on Linux. The default is 30 seconds.
    /// </summary>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the time that running requests may continue after the server begins to stop. After that, they fail with an error. The
    /// host's own <c>ShutdownTimeout</c> is increased if it is too short. The default is 20 seconds.
    /// </summary>
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Gets or sets the size of the operating system's buffer for data that is sent to a client. The system would let it grow to megabytes,
    /// and report free space only when a third of it is free, which a slow client can take minutes to read.
    /// </summary>
    internal int SendBufferBytes { get; set; } = 128 * 1024;

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
