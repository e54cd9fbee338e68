using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MoeOffload.Server.Http;

/// <summary>Reads the body of a request. There is no time limit as long as data keeps arriving.</summary>
internal static class RequestBody
{
    /// <summary>Reads a complete body.</summary>
    /// <param name="http">The request.</param>
    /// <param name="limits">The maximum size, and the maximum time without new data.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <exception cref="ApiException">The body is malformed, or no more data arrives.</exception>
    /// <exception cref="BadHttpRequestException">The body is too large.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContext http, RequestLimits limits, CancellationToken cancellationToken)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limits.MaxBodyBytes;
        }

        PipeReader reader = http.Request.BodyReader;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // If a token cancels the read, it stays pending, and Kestrel fails later because of it.
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
                        string.Create(CultureInfo.InvariantCulture, $"No more data of the body arrived within {limits.BodyTimeout.TotalSeconds} s."));
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
            // Some invalid chunk sizes cause exceptions of other types in Kestrel.
            throw new ApiException(400, "invalid_request_error", "invalid_request", "The body cannot be read: its length or chunks are malformed.", null, error);
        }

        return body.WrittenMemory;
    }
}
