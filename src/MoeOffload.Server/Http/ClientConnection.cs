using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace MoeOffload.Server.Http;

/// <summary>
/// Writes to a client and waits for it as long as it makes progress: however slowly it reads, and however long the answer is, it loses
/// nothing. A client that makes none for <see cref="RequestLimits.WriteTimeout"/> is disconnected.
/// </summary>
internal sealed class ClientConnection(HttpContext http, TimeSpan limit)
{
    // Small against the connection's buffer, so that each write waits for little.
    private const int PartBytes = 16 * 1024;

    /// <summary>Gets the buffer of what is written next.</summary>
    public PipeWriter Writer => http.Response.BodyWriter;

    /// <summary>Closes the connection at once.</summary>
    public void Abort() => http.Abort();

    /// <summary>Writes and sends bytes.</summary>
    /// <exception cref="ClientGoneException">The client is gone, or makes no progress.</exception>
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

    /// <summary>Sends what was written.</summary>
    /// <exception cref="ClientGoneException">The client is gone, or makes no progress.</exception>
    public async Task FlushAsync()
    {
        FlushResult result;
        try
        {
            ValueTask<FlushResult> flush = Writer.FlushAsync(CancellationToken.None);
            result = flush.IsCompletedSuccessfully
                ? flush.Result
                : await flush.AsTask().WaitAsync(limit, http.RequestAborted).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Abort();
            throw new ClientGoneException("The client took nothing of the answer for too long: its connection was closed.");
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            Abort();
            throw new ClientGoneException("The client is gone.", error);
        }

        if (result.IsCompleted || http.RequestAborted.IsCancellationRequested)
        {
            throw new ClientGoneException("The client is gone.");
        }
    }
}
