namespace MoeOffload.Catalog;

/// <summary>Specifies the hub that a <see cref="ModelPull"/> downloads from, and the cache that it downloads to.</summary>
public sealed record PullOptions
{
    /// <summary>Gets the address of the hub. The default is <c>https://huggingface.co</c>.</summary>
    public Uri Endpoint
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Endpoint));
    } = new("https://huggingface.co");

    /// <summary>Gets the access token for gated and private repositories. It is sent only to the hub's own address. The default is <see langword="null"/>.</summary>
    public string? Token { get; init; }

    /// <summary>Gets the directory of the cache, which has the layout of Hugging Face's tools.</summary>
    public required string CacheDirectory
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(CacheDirectory));
    }

    /// <summary>Gets the branch, tag or commit. The default is <c>main</c>.</summary>
    public string Revision
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Revision));
    } = "main";

    /// <summary>Gets the maximum number of attempts in a row that fail. A download that makes progress resets the number. The default is 6.</summary>
    public int MaxAttempts { get; init; } = 6;

    /// <summary>Gets the delay after the first failure. Each further failure doubles it, up to 30 seconds. The default is 0.5 seconds.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Gets the maximum time during which the hub sends nothing. The default is 30 seconds.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Creates options from <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c>, and the cache that <see cref="ModelCatalogOptions.FromEnvironment"/> finds.</summary>
    /// <param name="read">The function that reads a variable, or <see langword="null"/> to read the environment of this process.</param>
    /// <exception cref="FormatException"><c>HF_ENDPOINT</c> is not a valid address.</exception>
    public static PullOptions FromEnvironment(Func<string, string?>? read = null)
    {
        read ??= Environment.GetEnvironmentVariable;
        var options = new PullOptions
        {
            CacheDirectory = ModelCatalogOptions.FromEnvironment(read).HuggingFaceCache!,
            Token = read("HF_TOKEN") is { Length: > 0 } token ? token.Trim() : null,
        };
        if (read("HF_ENDPOINT") is not { Length: > 0 } endpoint)
        {
            return options;
        }

        return Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"
            ? options with { Endpoint = address }
            : throw new FormatException($"HF_ENDPOINT is '{endpoint}', which is not a valid address. Set it to an address such as https://huggingface.co.");
    }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(CacheDirectory);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAttempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FirstRetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
        if (!Endpoint.IsAbsoluteUri || Endpoint.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"'{Endpoint}' is not a valid address of a hub. Use an address such as https://huggingface.co.", nameof(Endpoint));
        }

        if (Token is not null && Endpoint.Scheme == "http" && !Endpoint.IsLoopback)
        {
            throw new ArgumentException($"The token would be sent to {Endpoint} unencrypted. Use https, or omit the token.", nameof(Token));
        }

        if (Token is not null && Token.Any(character => character is <= ' ' or > '~'))
        {
            throw new ArgumentException("The token has characters that are not valid in an HTTP header. Copy it again.", nameof(Token));
        }

        if (!RepositoryPath.IsSafe(Revision))
        {
            throw new ArgumentException($"'{Revision}' is not a valid branch, tag or commit.", nameof(Revision));
        }
    }
}
