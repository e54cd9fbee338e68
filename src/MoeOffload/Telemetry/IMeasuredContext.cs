using MoeOffload.Diagnostics;

namespace MoeOffload.Telemetry;

/// <summary>Represents a context whose state is observed.</summary>
internal interface IMeasuredContext
{
    /// <summary>Gets the id of the model.</summary>
    string ModelId { get; }

    /// <summary>Gets the memory of the context and its model.</summary>
    MemoryBreakdown Memory { get; }

    /// <summary>Gets the state of the session, or null if the context is not that of a session.</summary>
    SessionStatistics? Statistics { get; }

    /// <summary>Gets the use of the experts, or null if it is not counted.</summary>
    /// <exception cref="ObjectDisposedException">The context has been disposed.</exception>
    ExpertActivity? ExpertActivity { get; }
}
