using System.Net.Sockets;

namespace System.Net.Http;

/// <summary>Provides what <see cref="HttpRequestException"/> has since .NET 8.</summary>
internal static class HttpPolyfill
{
    extension(HttpRequestException exception)
    {
        /// <summary>Gets the reason: whether a name was not found.</summary>
        public HttpRequestError HttpRequestError =>
            exception.InnerException is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }
                or WebException { Status: WebExceptionStatus.NameResolutionFailure }
                ? HttpRequestError.NameResolutionError
                : HttpRequestError.Unknown;
    }
}
