using System.Net;
using System.Net.Sockets;

namespace MoeOffload.Fixtures;

/// <summary>Ports for servers that the tests start.</summary>
/// <remarks>llama.cpp never connects again to the address of an RPC server that was lost, so no port is given out twice in a process.
/// They lie below those that systems choose themselves, for outgoing connections as for port 0, so nobody takes one before its server listens.</remarks>
internal static class Loopback
{
    private const int First = 20_000;

    private const int Count = 10_000;

    // Test processes that run side by side begin at different places.
    private static readonly int s_start = Random.Shared.Next(Count);

    private static int s_given;

    public static int FreePort()
    {
        for (int given = Interlocked.Increment(ref s_given); given <= Count; given = Interlocked.Increment(ref s_given))
        {
            int port = First + ((s_start + given) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Another program has it.
            }
        }

        throw new InvalidOperationException($"No port of {First} to {First + Count - 1} is left on the loopback interface.");
    }
}
