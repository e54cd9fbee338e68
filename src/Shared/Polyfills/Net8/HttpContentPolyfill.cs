namespace System.Net.Http;

/// <summary>Provides what <see cref="HttpContent"/> has since .NET 9.</summary>
internal static class HttpContentPolyfill
{
    /// <summary>Reads content into memory.</summary>
    /// <param name="content">The content.</param>
    /// <param name="maxBufferSize">The maximum number of bytes.</param>
    /// <param name="cancellationToken">A token to stop waiting. What is being read is read to its end.</param>
    /// <exception cref="HttpRequestException">The content is larger, or could not be read.</exception>
    public static Task LoadIntoBufferAsync(this HttpContent content, long maxBufferSize, CancellationToken cancellationToken) =>
        content.LoadIntoBufferAsync(maxBufferSize).WaitAsync(cancellationToken);
}
