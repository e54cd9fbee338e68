using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MoeOffload.Measurement.Benches;

/// <summary>Represents llama.cpp's <c>ggml-rpc-server</c> on loopback, a second device with its own memory for machines without a GPU.</summary>
internal sealed class LoopbackRpcServer : IDisposable
{
    private const int Attempts = 400;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    private readonly Process _process;

    private LoopbackRpcServer(Process process, string address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Gets the address of the server as <c>host:port</c>.</summary>
    public string Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="load">The options for loading, which set the directory of the native libraries.</param>
    /// <param name="threads">The number of CPU threads of the server; null for the server's default.</param>
    /// <exception cref="IOException">The server does not exist, or does not start.</exception>
    public static LoopbackRpcServer Start(ModelOptions load, int? threads)
    {
        string file = Path.Combine(
            MoeModel.DescribeRuntime(load).Directory, "tools", OperatingSystem.IsWindows() ? "ggml-rpc-server.exe" : "ggml-rpc-server");
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"{file}, the RPC server for the second device, does not exist: an installed moe does not have it. Use a running ggml-rpc-server with --rpc HOST:PORT, or run moe in a checkout after './build.sh native'.");
        }

        int port = FreePort();
        string[] arguments = ["-H", "127.0.0.1", "-p", Text(port), .. threads is { } count ? new[] { "-t", Text(count) } : []];
        Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new LoopbackRpcServer(process, $"127.0.0.1:{Text(port)}");
        try
        {
            server.WaitUntilListening(port);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void WaitUntilListening(int port)
    {
        for (int attempt = 0; attempt < Attempts && !_process.HasExited; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                Thread.Sleep(s_pause);
            }
        }

        throw new IOException($"ggml-rpc-server does not listen on {Address}: start it yourself to see why, and pass its address with --rpc HOST:PORT.");
    }
}
