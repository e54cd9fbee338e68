using System.Diagnostics;

namespace MoeOffload.Server;

/// <summary>The server's traces.</summary>
public static class ServerActivities
{
    /// <summary>The name of the source: tracing takes it with <c>AddSource</c>.</summary>
    public const string SourceName = "MoeOffload.Server";

    internal static ActivitySource Source { get; } = new(SourceName);
}
