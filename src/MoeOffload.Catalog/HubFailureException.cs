namespace MoeOffload.Catalog;

/// <summary>A request to a hub that failed, and may not fail again.</summary>
internal sealed class HubFailureException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>How long the hub asked to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
