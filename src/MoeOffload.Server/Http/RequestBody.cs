using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MoeOffload.Server.Http;

/// <summary>Reads the body of a request, which may take its time as long as more of it keeps arriving.</summary>
internal static class RequestBody
{
    /// <summary>Reads a body to its end.</summary>
    /// <param name="http">The request.</param>
    /// <param name="limits">How large it may be, and how long to wait for more of it.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="ApiException">It is malformed, or no more of it arrives.</exception>
    /// <exception cref="BadHttpRequestException">It is too large.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext http, RequestLimits limits, CancellationToken cancellationToken)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limits.MaxBodyBytes;
        }

        PipeReader reader = http.Request.BodyReader;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // A read that a token cancels stays pending, and Kestrel then stumbles over it.
        using CancellationTokenRegistration registration = limit.Token.UnsafeRegister(static reader => ((PipeReader)reader!).CancelPendingRead(), reader);
        var body = new ArrayBufferWriter<byte>();
        try
        {
            ReadResult read;
            do
            {
                limit.CancelAfter(limits.BodyTimeout);
                read = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                if (read.IsCanceled)
                {
                    reader.AdvanceTo(read.Buffer.Start);
                    cancellationToken.ThrowIfCancellationRequested();
                    throw new ApiException(
                        408,
                        "invalid_request_error",
                        "request_timeout",
                        string.Create(CultureInfo.InvariantCulture, $"No more of the body arrived within {limits.BodyTimeout.TotalSeconds} s."));
                }

                foreach (ReadOnlyMemory<byte> part in read.Buffer)
                {
                    body.Write(part.Span);
                }

                reader.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception error) when (
            error is not (ApiException or OperationCanceledException or BadHttpRequestException) && !http.RequestAborted.IsCancellationRequested)
        {
            // Some chunk sizes end Kestrel's reading with exceptions of other kinds.
            throw new ApiException(400, "invalid_request_error", "invalid_request", "The body cannot be read: its length or chunks are malformed.", null, error);
        }

        return body.WrittenMemory;
    }
}
