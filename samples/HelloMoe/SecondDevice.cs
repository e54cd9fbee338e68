using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MoeOffload;

namespace HelloMoe;

/// <summary>
/// Represents the device that stands in for a GPU on a machine without one: llama.cpp's <c>ggml-rpc-server</c> on loopback, which has its
/// own memory, so that tensors are really divided between two devices.
/// </summary>
internal sealed class SecondDevice : IDisposable
{
    private readonly Process? _process;

    private SecondDevice(string address, Process? process)
    {
        Address = address;
        _process = process;
    }

    /// <summary>Gets the server's address, as <c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>Gets the server that the command line names, or starts one if this machine has no GPU.</summary>
    /// <returns>The server, or <see langword="null"/> if the machine's GPU is used.</returns>
    /// <exception cref="IOException">There is neither a GPU nor a <c>ggml-rpc-server</c> to start.</exception>
    public static SecondDevice? StartUnlessGpu(Arguments arguments)
    {
        if (arguments.RpcServer is { } running)
        {
            return new SecondDevice(running, null);
        }

        if (MoeModel.ListDevices().Any(device => device.Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu))
        {
            return null;
        }

        string server = FindServer() ?? throw new IOException(
            "This machine has no GPU, and no ggml-rpc-server was found to use instead. Build one with ./build.sh native, or name a running server with --rpc.");
        int port = FreePort();
        Process process = Process.Start(new ProcessStartInfo(server, ["-H", "127.0.0.1", "-p", $"{port}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        WaitUntilListening(port);
        Console.WriteLine($"This machine has no GPU: ggml-rpc-server on 127.0.0.1:{port} is used as the second device.");
        return new SecondDevice($"127.0.0.1:{port}", process);
    }

    public void Dispose()
    {
        _process?.Kill();
        _process?.WaitForExit();
        _process?.Dispose();
    }

    private static string? FindServer()
    {
        string file = OperatingSystem.IsWindows() ? "ggml-rpc-server.exe" : "ggml-rpc-server";
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string native = Path.Combine(at.FullName, "artifacts", "native");
            string? found = Directory.Exists(native) ? Directory.EnumerateFiles(native, file, SearchOption.AllDirectories).FirstOrDefault() : null;
            if (found is not null)
            {
                return found;
            }
        }

        return null;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void WaitUntilListening(int port)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (attempt < 100)
            {
                Thread.Sleep(50);
            }
        }
    }
}
