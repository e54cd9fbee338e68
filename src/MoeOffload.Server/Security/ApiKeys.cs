using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Security;

/// <summary>Checks the API keys of requests. All keys are compared by hash and in constant time.</summary>
internal sealed class ApiKeys(AccessOptions options)
{
    private readonly bool _allowsRemote = options.AllowRemoteWithoutKey;
    private readonly byte[][] _hashes = [.. options.ApiKeys.Select(Hash)];

    /// <summary>Gets whether requests need a key.</summary>
    public bool AreRequired => _hashes.Length > 0;

    /// <summary>Refuses a request without a key.</summary>
    /// <exception cref="ApiException">The request has no key, or a wrong one.</exception>
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
                given is null ? "The request has no API key. Send it as 'Authorization: Bearer KEY' or 'x-api-key: KEY'." : "The API key is not valid.");
        }
    }

    private void CheckRemote(HttpContext http)
    {
        if (!_allowsRemote && http.Connection.RemoteIpAddress is { } remote && !IPAddress.IsLoopback(remote))
        {
            throw new ApiException(
                403, "permission_error", "remote_not_allowed", "This server has no API key, so it accepts only requests from its own machine. Set an API key, or allow other machines without a key.");
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
