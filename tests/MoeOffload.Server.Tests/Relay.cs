using System.Net;
using System.Net.Sockets;

namespace MoeOffload.Server.Tests;

/// <summary>Passes connections on to a server until they are cut, as a network does.</summary>
internal sealed class Relay : IDisposable
{
    private readonly int _target;
    private readonly List<TcpClient> _open = [];
    private TcpListener _listener;

    public Relay(Uri target)
    {
        _target = target.Port;
        _listener = Listen(0);
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
    }

    public Uri Address { get; }

    /// <summary>Cuts all connections, and refuses new ones.</summary>
    public void Cut()
    {
        _listener.Stop();
        lock (_open)
        {
            _open.ForEach(client => client.Client?.Close(0));
            _open.Clear();
        }
    }

    /// <summary>Accepts connections again.</summary>
    public void Mend() => _listener = Listen(Address.Port);

    public void Dispose()
    {
        Cut();
        _listener.Dispose();
    }

    private TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        _ = AcceptAsync(listener);
        return listener;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                _ = PassAsync(await listener.AcceptTcpClientAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut.
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using TcpClient near = client;
        using var far = new TcpClient();
        lock (_open)
        {
            _open.AddRange([near, far]);
        }

        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target);
            NetworkStream nearStream = near.GetStream();
            NetworkStream farStream = far.GetStream();
            await Task.WhenAny(nearStream.CopyToAsync(farStream), farStream.CopyToAsync(nearStream));
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut, or a side has closed it.
        }
    }
}
