using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace MoeOffload.Server;

/// <summary>The keys that let requests in. Compared by hash, all of them, in a time that says nothing of how alike they are.</summary>
internal sealed class ApiKeys(IOptions<MoeServerOptions> options)
{
    private readonly bool _allowsRemote = options.Value.AllowRemoteWithoutKey;
    private readonly byte[][] _hashes = [.. options.Value.ApiKeys.Select(Hash)];

    /// <summary>Whether there are any.</summary>
    public bool AreRequired => _hashes.Length > 0;

    /// <summary>Refuses a request without a key.</summary>
    /// <exception cref="ApiException">It has none, or a wrong one.</exception>
    public void Check(HttpContext http)
    {
        if (!AreRequired)
        {
            CheckRemote(http);
            return;
        }

        string? given = Given(http.Request.Headers);
        if (given is null || !IsKey(given))
        {
            throw new ApiException(
                401,
                "authentication_error",
                "invalid_api_key",
                given is null ? "No API key was given: send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'." : "The API key is wrong.");
        }
    }

    private void CheckRemote(HttpContext http)
    {
        if (!_allowsRemote && http.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote))
        {
            throw new ApiException(
                403, "permission_error", "remote_not_allowed", "This server has no API key, and answers its own machine only: give it one, or let it allow others without.");
        }
    }

    private static string? Given(IHeaderDictionary headers)
    {
        const string Scheme = "Bearer ";
        string? authorization = headers.Authorization;
        return authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true
            ? authorization[Scheme.Length..].Trim()
            : (string?)headers["x-api-key"];
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private bool IsKey(string given)
    {
        byte[] hash = Hash(given);
        bool found = false;
        foreach (byte[] key in _hashes)
        {
            found |= CryptographicOperations.FixedTimeEquals(key, hash);
        }

        return found;
    }
}
