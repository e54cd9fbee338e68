using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace MoeOffload.Hosting.Tests;

/// <summary>Keeps the messages of the hosting package, and lets a test act while one is written.</summary>
internal sealed class HostLog : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _messages = new();

    public IReadOnlyList<string> Messages => [.. _messages];

    public Action<string> OnMessage { get; set; } = _ => { };

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private sealed class Logger(HostLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => category.StartsWith("MoeOffload.Hosting", StringComparison.Ordinal);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                string message = formatter(state, exception);
                log._messages.Enqueue(message);
                log.OnMessage(message);
            }
        }
    }
}
