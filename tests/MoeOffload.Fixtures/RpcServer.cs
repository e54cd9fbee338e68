using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace MoeOffload.Fixtures;

/// <summary>A real second device: <c>ggml-rpc-server</c> on loopback, computing with the same CPU backend. One client at a time.</summary>
public sealed class RpcServer : IDisposable
{
    private readonly Process _process;

    private RpcServer(Process process, int port)
    {
        _process = process;
        Address = $"127.0.0.1:{port}";
    }

    /// <summary>The server as <c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>The buffer type of its device's own memory, given the device's name.</summary>
    public string BufferOf(string device) => $"{device}[{Address}]";

    /// <summary>Starts a server and waits until it listens.</summary>
    public static RpcServer Start(int threads = 1)
    {
        int port = Loopback.FreePort();
        var start = new ProcessStartInfo(NativeBuild.Tool("ggml-rpc-server"), ["-H", "127.0.0.1", "-p", $"{port}", "-t", $"{threads}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, port);
                return new RpcServer(process, port);
            }
            catch (SocketException) when (attempt < 200 && !process.HasExited)
            {
                Thread.Sleep(25);
            }
        }
    }

    /// <summary>Ends the server as a crash would.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
