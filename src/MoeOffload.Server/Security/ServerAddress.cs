using System.Net;

namespace MoeOffload.Server;

/// <summary>Checks the addresses that a server listens on, before it starts.</summary>
public static class ServerAddress
{
    /// <summary>Validates that the server has API keys if other machines can reach it, unless the options allow other machines without a key.</summary>
    /// <param name="urls">The addresses, in the format of Kestrel, such as <c>http://127.0.0.1:11435</c>.</param>
    /// <param name="options">The access options.</param>
    /// <exception cref="InvalidOperationException">An API key is empty, or other machines can reach an address and there is no API key.</exception>
    public static void Validate(IEnumerable<string> urls, AccessOptions options)
    {
        ArgumentNullException.ThrowIfNull(urls);
        ArgumentNullException.ThrowIfNull(options);
        if (options.ApiKeys.Any(string.IsNullOrWhiteSpace))
        {
            throw new InvalidOperationException("An API key is empty. Set a value, or remove it.");
        }

        if (options.ApiKeys.Count == 0 && !options.AllowRemoteWithoutKey && urls.FirstOrDefault(url => !IsLoopback(url)) is { } open)
        {
            throw new InvalidOperationException(
                $"'{open}' can be reached from other machines, but there is no API key. Set {nameof(AccessOptions.ApiKeys)}, "
                + $"listen on 127.0.0.1, or set {nameof(AccessOptions.AllowRemoteWithoutKey)} if everyone on the network may use the server.");
        }
    }

    /// <summary>Determines whether only this machine can reach an address.</summary>
    /// <param name="url">The address. A host name other than <c>localhost</c> counts as reachable from other machines.</param>
    public static bool IsLoopback(string url)
    {
        ArgumentNullException.ThrowIfNull(url);
        int start = url.IndexOf("://", StringComparison.Ordinal);
        string rest = start < 0 ? url : url[(start + 3)..];
        if (rest.StartsWith("unix:", StringComparison.Ordinal))
        {
            return true;
        }

        rest = rest.Split('/')[0];
        string host = rest.StartsWith('[') ? rest[1..Math.Max(1, rest.IndexOf(']', StringComparison.Ordinal))] : rest.Split(':')[0];
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
    }
}
