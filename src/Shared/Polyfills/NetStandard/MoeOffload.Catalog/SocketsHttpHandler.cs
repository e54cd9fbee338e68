namespace System.Net.Http;

/// <summary>Handles requests. Here, connecting takes part in the time limit of a request instead of having one of its own.</summary>
internal sealed class SocketsHttpHandler : HttpClientHandler
{
    public TimeSpan ConnectTimeout { get; set; }
}
