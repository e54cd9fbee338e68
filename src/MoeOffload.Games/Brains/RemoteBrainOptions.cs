namespace MoeOffload.Games;

/// <summary>Provides options for a brain on a server.</summary>
public sealed record RemoteBrainOptions
{
    /// <summary>Gets or sets the address of the API, such as <c>http://127.0.0.1:8080/v1</c>, to which <c>chat/completions</c> is appended.</summary>
    public required Uri Endpoint
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Endpoint));
    }

    /// <summary>Gets or sets the name of the model.</summary>
    public required string Model
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Model));
    }

    /// <summary>
    /// Gets or sets the key, which is sent as a bearer token, or <see langword="null"/> for none. Do not ship a key with a game: whoever plays it can read
    /// it. The default is <see langword="null"/>.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>Gets or sets the context length of the model in tokens, or <see langword="null"/> if it is not known. The default is <see langword="null"/>.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Gets or sets the number of answers that are requested at the same time. The default is 4.</summary>
    public int ParallelAnswers { get; init; } = 4;

    /// <summary>
    /// Gets or sets a value that indicates whether top-k, min-p and the repetition penalty are sent, which the servers of MoeOffload, llama.cpp and vLLM
    /// accept, and OpenAI's does not. The temperature, top-p and the seed are always sent. The default is <see langword="false"/>.
    /// </summary>
    public bool SendsAllSamplers { get; init; }
}
