using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace MoeOffload.Server.Http;

/// <summary>
/// Writes to a client and waits as long as the client makes progress, so that a slow reader receives a long answer completely. A client that
/// makes no progress for <see cref="RequestLimits.WriteTimeout"/> is disconnected.
/// </summary>
internal sealed class ClientConnection
{
    // This is small compared to the connection's buffer, so that each write waits only for a small part of it.
    private const int PartBytes = 16 * 1024;

    private readonly HttpContext _http;
    private readonly TimeSpan _limit;

    public ClientConnection(HttpContext http, RequestLimits limits)
    {
        _http = http;
        _limit = limits.WriteTimeout;
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
        {
            LimitBuffer(socket, limits.SendBufferBytes);
        }
    }

    /// <summary>Gets the buffer for the next write.</summary>
    public PipeWriter Writer => _http.Response.BodyWriter;

    /// <summary>Closes the connection immediately.</summary>
    public void Abort() => _http.Abort();

    /// <summary>Writes and sends bytes.</summary>
    /// <exception cref="ClientGoneException">The client has disconnected, or makes no progress.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            ReadOnlyMemory<byte> part = bytes[..Math.Min(PartBytes, bytes.Length)];
            bytes = bytes[part.Length..];
            Writer.Write(part.Span);
            await FlushAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sends the buffered data.</summary>
    /// <exception cref="ClientGoneException">The client has disconnected, or makes no progress.</exception>
    public async Task FlushAsync()
    {
        FlushResult result;
        try
        {
            ValueTask<FlushResult> flush = Writer.FlushAsync(CancellationToken.None);
            result = flush.IsCompletedSuccessfully
                ? flush.Result
                : await flush.AsTask().WaitAsync(_limit, _http.RequestAborted).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Abort();
            throw new ClientGoneException("The client read nothing of the answer for too long, so its connection was closed.");
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            Abort();
            throw new ClientGoneException("The client is gone.", error);
        }

        if (result.IsCompleted || _http.RequestAborted.IsCancellationRequested)
        {
            throw new ClientGoneException("The client is gone.");
        }
    }

    private static void LimitBuffer(Socket socket, int bytes)
    {
        try
        {
            socket.SendBufferSize = bytes;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The client has disconnected, which the first write reports.
        }
    }
}
