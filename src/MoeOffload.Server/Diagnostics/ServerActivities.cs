using System.Diagnostics;

namespace MoeOffload.Server;

/// <summary>Names the server's traces.</summary>
public static class ServerActivities
{
    /// <summary>The name of the activity source. An application exports the traces with <c>AddSource</c>.</summary>
    public const string SourceName = "MoeOffload.Server";

    internal static ActivitySource Source { get; } = new(SourceName);
}
