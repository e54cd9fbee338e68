using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace MoeOffload.Catalog;

/// <summary>Represents a client of Hugging Face's HTTP API, used as the <c>huggingface_hub</c> library uses it.</summary>
internal sealed class HubClient : IDisposable
{
    private const int MostRedirects = 10;
    private const long LargestAnswer = 64 << 20;

    private readonly PullOptions _options;
    private readonly HttpClient _http;
    private bool _wasReached;

    public HubClient(PullOptions options)
    {
        _options = options;
        // Redirects are followed by this class, because the token must not be sent to another host.
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = options.StallTimeout };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("MoeOffload", typeof(HubClient).Assembly.GetName().Version!.ToString(3)));
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Lists the GGUF files of a repository.</summary>
    /// <exception cref="HubFailureException">The request failed, and can be repeated.</exception>
    /// <exception cref="ModelNotFoundException">The repository or revision does not exist, or the token does not grant access to it.</exception>
    /// <exception cref="ModelPullException">The hub denies access, or its response is not valid.</exception>
    public async Task<HubRevision> GetRevisionAsync(string repository, CancellationToken cancellationToken)
    {
        Uri address = Address($"api/models/{repository}/revision/{Uri.EscapeDataString(_options.Revision)}?blobs=true");
        using HttpResponseMessage response = await SendAsync(address, _ => { }, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new ModelNotFoundException(
                $"{_options.Endpoint} has no repository {repository} with revision '{_options.Revision}', or does not grant access to it ({(int)response.StatusCode}). "
                + "Check the name. For a private or gated repository, accept its terms on the website and set HF_TOKEN.");
        }

        Check(response, repository);
        try
        {
            byte[] body = await WithinAsync(token => ReadAnswerAsync(response.Content, token), cancellationToken).ConfigureAwait(false);
            using JsonDocument json = JsonDocument.Parse(body);
            return Read(json.RootElement);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ModelPullException($"{address} did not return a valid response of a hub: {error.Message} Check HF_ENDPOINT.", error);
        }
    }

    /// <summary>Starts the download of a file.</summary>
    /// <param name="repository">The name of the repository, <c>ORG/REPO</c>.</param>
    /// <param name="commit">The hash of the commit.</param>
    /// <param name="path">The path of the file in the repository.</param>
    /// <param name="from">The position of the first byte to send.</param>
    /// <param name="unchanged">The entity tag that the file must have for a partial response, or <see langword="null"/> if it is not known.</param>
    /// <param name="cancellationToken">A token to cancel the request.</param>
    /// <exception cref="HubFailureException">The request failed, and can be repeated.</exception>
    /// <exception cref="ModelPullException">The hub denies access.</exception>
    public async Task<HttpResponseMessage> OpenAsync(
        string repository, string commit, string path, long from, EntityTagHeaderValue? unchanged, CancellationToken cancellationToken)
    {
        string escaped = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        HttpResponseMessage response = await SendAsync(
            Address($"{repository}/resolve/{commit}/{escaped}"),
            request =>
            {
                if (from > 0)
                {
                    request.Headers.Range = new RangeHeaderValue(from, null);
                    request.Headers.IfRange = unchanged is null ? null : new RangeConditionHeaderValue(unchanged);
                }
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            if (response.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable)
            {
                Check(response, repository);
            }

            return response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Reads from the hub, with a time limit for the time during which nothing arrives.</summary>
    /// <exception cref="HubFailureException">The time limit was exceeded, or the connection failed.</exception>
    /// <exception cref="ModelPullException">The name of the hub cannot be resolved.</exception>
    public async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.StallTimeout);
        try
        {
            T result = await read(limit.Token).ConfigureAwait(false);
            _wasReached = true;
            return result;
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.NameResolutionError && !_wasReached)
        {
            // A name that was never found does not exist, or there is no network.
            throw new ModelPullException($"The host {_options.Endpoint.Host} was not found: {error.Message} Check the network, and HF_ENDPOINT if it is set.", error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HubFailureException(string.Create(CultureInfo.InvariantCulture, $"The hub sent nothing for {_options.StallTimeout.TotalSeconds:0.#} s."));
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new HubFailureException($"The connection to the hub failed: {error.Message}", error);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri address, Action<HttpRequestMessage> prepare, CancellationToken cancellationToken)
    {
        for (int redirects = 0; redirects <= MostRedirects; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            prepare(request);
            if (_options.Token is { } secret && IsHub(address))
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
            }

            HttpResponseMessage response = await WithinAsync(
                token => _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token), cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is not (HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
                or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect))
            {
                return response;
            }

            using (response)
            {
                address = Follow(address, response.Headers.Location);
            }
        }

        throw new HubFailureException($"{_options.Endpoint} redirected more than {MostRedirects} times.");
    }

    private static async Task<byte[]> ReadAnswerAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await content.LoadIntoBufferAsync(LargestAnswer, cancellationToken).ConfigureAwait(false);
        return await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    private static Uri Follow(Uri from, Uri? to)
    {
        Uri next = to is null ? throw new HubFailureException($"{from.Host} sent a redirect without a target.") : new Uri(from, to);
        return next.Scheme == from.Scheme || next.Scheme == "https"
            ? next
            : throw new ModelPullException($"{from.Host} redirects to {next.GetLeftPart(UriPartial.Authority)}, which is not encrypted. The redirect was not followed.");
    }

    private void Check(HttpResponseMessage response, string repository)
    {
        int status = (int)response.StatusCode;
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        Uri address = response.RequestMessage!.RequestUri!;
        string what = $"{address.Host} answered {status} ({response.ReasonPhrase}).";
        if (IsHub(address) && status is 401 or 403)
        {
            throw new ModelPullException($"{what} Accept the terms of {repository} on its page, and set HF_TOKEN to a token that may read it.");
        }

        // A link to a content delivery network can expire. The hub then provides another one.
        if (status is 408 or 425 or 429 or >= 500 || !IsHub(address))
        {
            RetryConditionHeaderValue? asked = response.Headers.RetryAfter;
            throw new HubFailureException(what) { RetryAfter = asked?.Delta ?? (asked?.Date - DateTimeOffset.UtcNow) };
        }

        throw new ModelPullException($"{what} Check HF_ENDPOINT, and whether {repository} still has the file.");
    }

    private bool IsHub(Uri address) =>
        Uri.Compare(address, _options.Endpoint, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private Uri Address(string relative) => new($"{_options.Endpoint.AbsoluteUri.TrimEnd('/')}/{relative}");

    private static HubRevision Read(JsonElement json)
    {
        string commit = json.GetProperty("sha").GetString() ?? string.Empty;
        if (!RepositoryPath.IsHash(commit, HubFile.GitLength, HubFile.Sha256Length))
        {
            throw new FormatException("'sha' is no commit.");
        }

        var files = new List<HubFile>();
        foreach (JsonElement sibling in json.GetProperty("siblings").EnumerateArray())
        {
            string path = sibling.GetProperty("rfilename").GetString() ?? string.Empty;
            if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            {
                files.Add(ReadFile(sibling, path));
            }
        }

        return new HubRevision(commit, files);
    }

    private static HubFile ReadFile(JsonElement sibling, string path)
    {
        bool isLarge = sibling.TryGetProperty("lfs", out JsonElement large) && large.ValueKind == JsonValueKind.Object;
        string hash = (isLarge ? large.GetProperty("sha256") : sibling.GetProperty("blobId")).GetString() ?? string.Empty;
        long bytes = (isLarge ? large : sibling).GetProperty("size").GetInt64();
        return RepositoryPath.IsSafe(path) && bytes >= 0 && RepositoryPath.IsHash(hash, isLarge ? HubFile.Sha256Length : HubFile.GitLength)
            ? new HubFile(path, bytes, hash)
            : throw new FormatException($"the entry of '{path}' has an unsafe path, no size, or no hash.");
    }
}
