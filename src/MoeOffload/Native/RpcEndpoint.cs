using System.Globalization;
using System.Net.Sockets;

namespace MoeOffload.Native;

/// <summary>An RPC server's address. llama.cpp aborts where it cannot connect, so we try first.</summary>
internal static class RpcEndpoint
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    /// <summary>Connects and hangs up again.</summary>
    /// <exception cref="PlacementException">Nobody answers at the address.</exception>
    public static void CheckReachable(string endpoint)
    {
        if (!TryConnect(endpoint, out string reason))
        {
            throw new PlacementException(
                $"RPC server '{endpoint}' cannot be reached ({reason}): start it there with ggml-rpc-server -H HOST -p PORT.");
        }
    }

    /// <summary>Whether somebody answers at the address.</summary>
    public static bool IsReachable(string endpoint) => TryConnect(endpoint, out _);

    private static bool TryConnect(string endpoint, out string reason)
    {
        int colon = endpoint.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port is < 1 or > 65535)
        {
            throw new PlacementException($"RPC server '{endpoint}': write it as host:port, such as 127.0.0.1:50052.");
        }

        using var client = new TcpClient();
        try
        {
            using var timeout = new CancellationTokenSource(s_timeout);
            client.ConnectAsync(endpoint[..colon].Trim('[', ']'), port, timeout.Token).AsTask().GetAwaiter().GetResult();
            reason = string.Empty;
            return true;
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            reason = exception is SocketException ? exception.Message : $"no answer within {s_timeout.TotalSeconds:0} s";
            return false;
        }
    }
}
