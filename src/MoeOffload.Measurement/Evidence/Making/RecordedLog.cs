using Microsoft.Extensions.Logging;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Writes log messages to a file, including llama.cpp's lines without changes, and the number of lines at the end.</summary>
/// <param name="path">The path of the file.</param>
/// <param name="mask">Removes directories from the messages.</param>
internal sealed class RecordedLog(string path, PathMask mask) : ILoggerProvider, ILogger
{
    private readonly StreamWriter _writer = new(path) { NewLine = "\n" };
    private readonly Lock _lock = new();
    private int _lines;
    private bool _isEnded;

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        string line = mask.Apply(formatter(state, exception)).ReplaceLineEndings(" ");
        lock (_lock)
        {
            if (!_isEnded)
            {
                _writer.WriteLine(line);
                _lines++;
            }
        }
    }

    /// <summary>Writes the last line of the log. Without it, the log counts as truncated.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isEnded = true;
            _writer.WriteLine(LoadLog.EndOf(_lines));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isEnded = true;
            _writer.Dispose();
        }
    }
}
