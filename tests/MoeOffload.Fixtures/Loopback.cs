using System.Net;
using System.Net.Sockets;

namespace MoeOffload.Fixtures;

/// <summary>Ports for servers that the tests start.</summary>
internal static class Loopback
{
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
