using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MoeOffload.Server.Tests;

/// <summary>Records log messages.</summary>
internal sealed class RecordedLog : ILoggerProvider
{
    public ConcurrentQueue<LogLine> Lines { get; } = new();

    /// <summary>The minimum level of messages to record.</summary>
    public LogLevel Least { get; set; } = LogLevel.Trace;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    internal sealed record LogLine(string Category, LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Fields);

    private sealed class Logger(RecordedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= log.Least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            log.Lines.Enqueue(new LogLine(
                category,
                logLevel,
                $"{formatter(state, exception)} {exception}",
                fields.GroupBy(field => field.Key).ToDictionary(group => group.Key, group => group.Last().Value)));
        }
    }
}
