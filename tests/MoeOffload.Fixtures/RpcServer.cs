using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace MoeOffload.Fixtures;

/// <summary>A real second device: <c>ggml-rpc-server</c> on loopback, computing with the same CPU backend. One client at a time.</summary>
public sealed class RpcServer : IDisposable
{
    private readonly Process _process;

    private RpcServer(Process process, int port)
    {
        _process = process;
        Port = port;
        Address = $"127.0.0.1:{port}";
    }

    /// <summary>The server as <c>host:port</c>.</summary>
    public string Address { get; }

    /// <summary>Where it listens.</summary>
    public int Port { get; }

    /// <summary>The identifier of its process.</summary>
    public int ProcessId => _process.Id;

    /// <summary>How long its threads have computed.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>The buffer type of its device's own memory; llama.cpp counts a server's own devices, whatever their names.</summary>
    public string Buffer => $"RPC0[{Address}]";

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="threads">CPU threads that it computes with.</param>
    /// <param name="port">Where it listens; null takes a free port.</param>
    public static RpcServer Start(int threads = 1, int? port = null) => Start(threads, port ?? Loopback.FreePort());

    /// <summary>Ends the server as a crash would.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Makes it answer nothing any more, while its connections stand.</summary>
    public void Freeze()
    {
        const int Stop = 19;
        if ((OperatingSystem.IsWindows() ? Suspend(_process.Handle) : Signal(_process.Id, Stop)) != 0)
        {
            throw new InvalidOperationException($"ggml-rpc-server {_process.Id} cannot be stopped.");
        }
    }

    /// <summary>Undoes <see cref="Freeze"/>: the server continues, and answers the requests that arrived in the meantime.</summary>
    public void Thaw()
    {
        const int Continue = 18;
        if ((OperatingSystem.IsWindows() ? Resume(_process.Handle) : Signal(_process.Id, Continue)) != 0)
        {
            throw new InvalidOperationException($"ggml-rpc-server {_process.Id} cannot be continued.");
        }
    }

    /// <summary>Lets it allocate only this much more memory, as if other programs took the rest (Linux).</summary>
    public unsafe void LimitMemory(long more)
    {
        const int AddressSpace = 9;
        _process.Refresh();
        ulong limit = (ulong)(_process.VirtualMemorySize64 + more);
        ulong* limits = stackalloc ulong[] { limit, limit };
        if (SetLimit(_process.Id, AddressSpace, limits, null) != 0)
        {
            throw new InvalidOperationException($"The memory of ggml-rpc-server {_process.Id} cannot be limited.");
        }
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

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int process, int signal);

    [DllImport("libc", EntryPoint = "prlimit")]
    private static extern unsafe int SetLimit(int process, int resource, ulong* limits, ulong* old);

    [DllImport("ntdll", EntryPoint = "NtSuspendProcess")]
    private static extern int Suspend(nint process);

    [DllImport("ntdll", EntryPoint = "NtResumeProcess")]
    private static extern int Resume(nint process);

    private static RpcServer Start(int threads, int port)
    {
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
}
