using MoeOffload.Chat;
using MoeOffload.Shared;

namespace MoeOffload.Server;

/// <summary>Represents the defaults of requests and the options for logging them.</summary>
public sealed class RequestDefaults
{
    /// <summary>Gets or sets the model for requests that do not name one. The default is <see langword="null"/>: such requests fail.</summary>
    public string? DefaultModel { get; set; }

    /// <summary>Gets or sets the sampling options for requests that do not specify them. The defaults are those of llama.cpp.</summary>
    public SamplingOptions Sampling { get; set; } = new();

    /// <summary>Gets or sets the interval at which a streaming request that waits for a model receives the progress of loading. The default is one second.</summary>
    public TimeSpan ProgressInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets a value that indicates whether prompts and answers are logged, at level Debug. The default is <see langword="false"/>.</summary>
    public bool LogPrompts { get; set; }

    /// <summary>
    /// Gets or sets where the reasoning of a chat completion is if the request does not specify it. The default is
    /// <see cref="ReasoningFormat.Separate"/>.
    /// </summary>
    public ReasoningFormat ReasoningFormat { get; set; }

    /// <summary>
    /// Gets or sets what happens if a chat is too long for the context. The default is <see cref="ChatOverflow.Error"/>, because many clients
    /// shorten their chats themselves when they get the error. A request to Ollama's <c>/api/chat</c> can set it with <c>truncate</c>.
    /// </summary>
    public ChatOverflow Overflow { get; set; } = ChatOverflow.Error;

    /// <summary>
    /// Gets or sets a value that indicates whether answers that fill the context continue, as with <see cref="ContextFullAction.Shift"/>,
    /// if the model supports it. The default is <see langword="false"/>: they are cut off.
    /// </summary>
    public bool ContextShift { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether requests with unknown fields are rejected, at every depth. Otherwise, a field that the
    /// server does not know is counted and logged once for each client. The default is <see langword="false"/>.
    /// </summary>
    public bool Strict { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether sentences with the current time, with which some clients begin their system text, are moved to the
    /// last message of the user, so that the text behind them stays in the prefix cache. The default is <see langword="true"/>.
    /// </summary>
    public bool MovesCurrentTime { get; set; } = true;

    /// <summary>
    /// Gets or sets a function that translates error messages for the clients of a program, or <see langword="null"/> for none. Messages of
    /// the library name its options, such as <c>ContextOptions.ContextLength</c>; a program can replace them by its own. The default is
    /// <see langword="null"/>.
    /// </summary>
    public Func<string, string>? TranslateMessage { get; set; }

    /// <summary>
    /// Gets or sets the time without an answer after which a stream sends a sign of life: a comment, an event or an empty part, depending on
    /// the API. The default is 5 seconds.
    /// </summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(5);

    internal void Validate(OptionFaults faults, string name)
    {
        if (faults.Require(Sampling, $"{name}.{nameof(Sampling)}"))
        {
            faults.Run(Sampling.Validate, $"{name}.{nameof(Sampling)}");
        }

        faults.RequireTimeLimit(KeepAliveInterval, $"{name}.{nameof(KeepAliveInterval)}");
        faults.RequireTimeLimit(ProgressInterval, $"{name}.{nameof(ProgressInterval)}");
    }
}
