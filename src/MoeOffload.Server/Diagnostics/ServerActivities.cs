using System.Diagnostics;

namespace MoeOffload.Server;

/// <summary>Provides the name of the server's activity source.</summary>
public static class ServerActivities
{
    /// <summary>The name of the activity source, which an application passes to <c>AddSource</c> to export the traces.</summary>
    public const string SourceName = "MoeOffload.Server";

    internal static ActivitySource Source { get; } = new(SourceName);
}
