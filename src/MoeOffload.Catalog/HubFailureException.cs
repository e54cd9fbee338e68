namespace MoeOffload.Catalog;

/// <summary>The exception that is thrown when a request to a hub fails and can be repeated.</summary>
internal sealed class HubFailureException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Gets the time that the hub asked to wait, or <see langword="null"/> if it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
