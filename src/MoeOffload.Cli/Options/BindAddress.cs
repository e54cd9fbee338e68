using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MoeOffload.Cli.Errors;

namespace MoeOffload.Cli.Options;

/// <summary>Chooses the address that the server listens on.</summary>
internal static class BindAddress
{
    /// <summary>The default port, which is that of shimmy and one above Ollama's.</summary>
    public const int UsualPort = 11435;

    private const int PortsToTry = 100;

    /// <summary>Chooses the address.</summary>
    /// <param name="bind">The value of <c>--bind</c>; null means <c>auto</c>.</param>
    /// <param name="hostAndPort">The value of <c>--host</c> and <c>--port</c>; null if neither is given.</param>
    /// <param name="environment">Returns the value of an environment variable.</param>
    /// <returns>The address, in Kestrel's format.</returns>
    /// <exception cref="UsageException">The address is not valid.</exception>
    /// <exception cref="IOException">No port is free.</exception>
    public static string Choose(string? bind, string? hostAndPort, Func<string, string?> environment)
    {
        if (hostAndPort is not null)
        {
            return Url(hostAndPort, "--host and --port");
        }

        if (bind is not null && bind != "auto")
        {
            return Url(bind, "--bind");
        }

        return environment("SHIMMY_BIND_ADDRESS") is { Length: > 0 } own
            ? Url(own, "SHIMMY_BIND_ADDRESS")
            : Url(Join("127.0.0.1", FirstFreePort(UsualPort)), "--bind");
    }

    /// <summary>Joins a host and a port.</summary>
    public static string Join(string host, int port) =>
        string.Create(CultureInfo.InvariantCulture, $"{(host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') ? $"[{host}]" : host)}:{port}");

    /// <summary>Finds the first free port of the loopback address, starting at a given one.</summary>
    /// <exception cref="IOException">None of a hundred ports is free.</exception>
    public static int FirstFreePort(int from)
    {
        for (int port = from; port < from + PortsToTry; port++)
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Try the next port.
            }
        }

        throw new IOException($"None of the ports from {from} to {from + PortsToTry - 1} is free: choose another one with --bind HOST:PORT.");
    }

    private static string Url(string address, string origin)
    {
        string rest = address.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? address["http://".Length..].TrimEnd('/') : address;
        int colon = rest.LastIndexOf(':');
        string host = colon < 0 ? string.Empty : rest[..colon];
        bool isPort = int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= ushort.MaxValue;
        bool isHost = host is "*" or "+" || Uri.CheckHostName(host.Trim('[', ']')) != UriHostNameType.Unknown;
        return isPort && isHost
            ? $"http://{Join(host, port)}"
            : throw new UsageException($"{origin} is '{address}', but must be HOST:PORT, such as 127.0.0.1:{UsualPort}.");
    }
}
