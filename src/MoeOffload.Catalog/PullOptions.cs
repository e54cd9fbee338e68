namespace MoeOffload.Catalog;

/// <summary>Where a <see cref="ModelPull"/> gets models from, and where it puts them. Plain data.</summary>
public sealed record PullOptions
{
    /// <summary>The hub. Default: Hugging Face.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>The access token, for gated and private repositories. It goes to the hub's own address only. Default: none.</summary>
    public string? Token { get; init; }

    /// <summary>The cache that models are put into, in the layout of Hugging Face's tools.</summary>
    public required string CacheDirectory { get; init; }

    /// <summary>The branch, tag or commit. Default: <c>main</c>.</summary>
    public string Revision { get; init; } = "main";

    /// <summary>How often in a row a request may fail before the pull does; bytes that arrive begin the count anew. Default: 6.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>The pause after the first failure; each further one doubles it, up to 30 s. Default: 0.5 s.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How long the hub may send nothing. Default: 30 s.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Takes <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c>, and the cache that <see cref="ModelCatalogOptions.FromEnvironment"/> finds.</summary>
    /// <param name="read">Reads a variable; null reads this process's environment.</param>
    /// <exception cref="FormatException"><c>HF_ENDPOINT</c> is no address.</exception>
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
            : throw new FormatException($"HF_ENDPOINT is '{endpoint}': write an address such as https://huggingface.co.");
    }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Endpoint);
        ArgumentException.ThrowIfNullOrWhiteSpace(CacheDirectory);
        ArgumentOutOfRangeException.ThrowIfLessThan(Attempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FirstRetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
        if (!Endpoint.IsAbsoluteUri || Endpoint.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"'{Endpoint}' is no address of a hub; write one such as https://huggingface.co.", nameof(Endpoint));
        }

        if (Token is not null && Endpoint.Scheme == "http" && !Endpoint.IsLoopback)
        {
            throw new ArgumentException($"The token would go to {Endpoint} unencrypted: use https, or leave out the token.", nameof(Token));
        }

        if (Token is not null && Token.Any(character => character is <= ' ' or > '~'))
        {
            throw new ArgumentException("The token has characters that no HTTP header can carry: copy it again.", nameof(Token));
        }

        if (!RepositoryPath.IsSafe(Revision))
        {
            throw new ArgumentException($"'{Revision}' is no branch, tag or commit.", nameof(Revision));
        }
    }
}
