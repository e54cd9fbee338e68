using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using MoeOffload.Server.Diagnostics;

namespace MoeOffload.Server.Http;

/// <summary>Counts the fields that were accepted without an effect, and logs each of them once per client. This type is thread-safe.</summary>
internal sealed partial class IgnoredFields(ServerMetrics metrics, ILogger<IgnoredFields> logger)
{
    // A client that makes up names must not fill the memory or the log.
    private const int MostEntries = 4096;
    private const int LongestClient = 60;

    private readonly ConcurrentDictionary<(string Client, string Field), bool> _logged = new();

    /// <summary>Counts and logs fields.</summary>
    /// <param name="userAgent">The name of the client, or <see langword="null"/> if it sent none.</param>
    /// <param name="paths">The paths of the fields.</param>
    public void Note(string? userAgent, IReadOnlyCollection<string> paths)
    {
        metrics.CountIgnored(paths.Count);
        string client = string.IsNullOrWhiteSpace(userAgent) ? "unknown" : Safe(userAgent.Length > LongestClient ? userAgent[..LongestClient] : userAgent);
        foreach (string path in paths)
        {
            string field = Safe(WithoutIndexes(path));
            if (_logged.Count < MostEntries && _logged.TryAdd((client, field), true))
            {
                Ignored(logger, field, client);
            }
        }
    }

    /// <summary>Replaces characters that a header or a line of the log cannot have.</summary>
    public static string Safe(string text) => string.Concat(text.Select(character => character is >= ' ' and <= '~' ? character : '?'));

    [LoggerMessage(13, LogLevel.Information, "The field {Field} of requests from {Client} is accepted, but has no effect on this server")]
    private static partial void Ignored(ILogger logger, string field, string client);

    [System.Text.RegularExpressions.GeneratedRegex(@"\[\d+\]")]
    private static partial System.Text.RegularExpressions.Regex Index();

    private static string WithoutIndexes(string path) => Index().Replace(path, "[]");
}
