using Microsoft.Extensions.Logging;

namespace MoeOffload.Measurement.Evidence.Making;

/// <summary>Writes all that is logged to a file, llama.cpp's lines as they are, and at its end how many lines there were.</summary>
/// <param name="path">The file.</param>
/// <param name="mask">Takes directories out.</param>
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

    /// <summary>Ends the log: a file without its last line is one that was cut off.</summary>
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
