using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace MoeOffload.Native;

/// <summary>
/// Checks the address of an RPC server before llama.cpp uses it: llama.cpp aborts if it cannot connect, and waits forever if nobody answers.
/// </summary>
internal static class RpcEndpoint
{
    // RPC_CMD_HELLO, RPC_CONN_CAPS_SIZE and the protocol's version, of ggml-rpc.h and ggml-rpc.cpp.
    private const byte HelloCommand = 14;
    private const int CapabilitiesSize = 24;
    private const int MajorVersion = 7;
    private const int MinorVersion = 0;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    /// <summary>Connects to the server, sends llama.cpp's greeting, and disconnects.</summary>
    /// <exception cref="PlacementException">Nobody answers at the address, or it is not an RPC server of a compatible version.</exception>
    public static void CheckAnswers(string endpoint)
    {
        (string host, int port) = Parse(endpoint);
        try
        {
            using var timeout = new CancellationTokenSource(s_timeout);
            using var client = new TcpClient();
            Task.Run(async () =>
            {
                await client.ConnectAsync(host, port, timeout.Token).ConfigureAwait(false);
                await GreetAsync(endpoint, client.GetStream(), timeout.Token).ConfigureAwait(false);
            }).GetAwaiter().GetResult();
        }
        catch (SocketException exception)
        {
            throw new PlacementException(
                $"RPC server '{endpoint}' cannot be reached ({exception.Message}). Start it there with ggml-rpc-server -H HOST -p PORT.", exception);
        }
        catch (OperationCanceledException exception)
        {
            throw new PlacementException(
                $"RPC server '{endpoint}' did not answer within {s_timeout.TotalSeconds:0} s. The machine is off or unreachable, or the server is "
                + "busy with another client (it serves one at a time).", exception);
        }
        catch (IOException exception)
        {
            throw NotOurs(endpoint, $"it closed the connection: {exception.Message}", exception);
        }
    }

    /// <summary>Determines whether this machine has an established connection to the address. If the system does not tell, the result is <see langword="true"/>.</summary>
    public static bool IsConnected(string endpoint)
    {
        (string host, int port) = Parse(endpoint);
        IPAddress? address = IPAddress.TryParse(host, out IPAddress? parsed) ? parsed : null;
        try
        {
            return Array.Exists(
                IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections(),
                connection => connection.State is TcpState.Established or TcpState.SynSent
                    && connection.RemoteEndPoint.Port == port
                    && (address is null || connection.RemoteEndPoint.Address.Equals(address)));
        }
        catch (Exception exception) when (exception is NetworkInformationException or PlatformNotSupportedException or IOException)
        {
            return true;
        }
    }

    private static (string Host, int Port) Parse(string endpoint)
    {
        int colon = endpoint.IndexOf(':', StringComparison.Ordinal);
        return colon > 0
            && int.TryParse(endpoint.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is >= 1 and <= 65535
            ? (endpoint[..colon], port)
            : throw new PlacementException(
                $"'{endpoint}' is not a valid address of an RPC server. Use host:port, such as 127.0.0.1:50052; llama.cpp supports host names and IPv4 addresses.");
    }

    // Request: command, size, capabilities (none). Response: size, major, minor, patch, padding, capabilities. All are little-endian.
    private static async Task GreetAsync(string endpoint, NetworkStream stream, CancellationToken cancellationToken)
    {
        byte[] request = new byte[1 + sizeof(ulong) + CapabilitiesSize];
        request[0] = HelloCommand;
        BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(1), CapabilitiesSize);
        await stream.WriteAsync(request, cancellationToken).ConfigureAwait(false);

        byte[] answer = new byte[sizeof(ulong) + 4 + CapabilitiesSize];
        await stream.ReadExactlyAsync(answer.AsMemory(0, sizeof(ulong)), cancellationToken).ConfigureAwait(false);
        if (BinaryPrimitives.ReadUInt64LittleEndian(answer) != 4 + CapabilitiesSize)
        {
            throw NotOurs(endpoint, "its greeting is that of another program", null);
        }

        await stream.ReadExactlyAsync(answer.AsMemory(sizeof(ulong)), cancellationToken).ConfigureAwait(false);
        (int major, int minor) = (answer[sizeof(ulong)], answer[sizeof(ulong) + 1]);
        if (major != MajorVersion || minor > MinorVersion)
        {
            throw NotOurs(endpoint, $"it uses version {major}.{minor} of the protocol, not {MajorVersion}.{MinorVersion}", null);
        }
    }

    private static PlacementException NotOurs(string endpoint, string reason, Exception? cause) => new(
        $"RPC server '{endpoint}' is not a ggml-rpc-server of llama.cpp {Generated.BindingsVersion.LlamaCpp} ({reason}). Start one of that version.", cause);
}
