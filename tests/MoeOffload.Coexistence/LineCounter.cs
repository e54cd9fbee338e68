using Microsoft.Extensions.Logging;

namespace MoeOffload.Coexistence;

/// <summary>Counts the lines of llama.cpp's that reach us.</summary>
internal sealed class LineCounter : ILoggerProvider, ILogger
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Interlocked.Increment(ref _count);

    public void Dispose()
    {
    }
}
