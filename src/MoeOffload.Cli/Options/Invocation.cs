using System.CommandLine;
using Microsoft.Extensions.Logging;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Options;

/// <summary>One call of the command: what it was asked, and what it has to answer with.</summary>
internal sealed class Invocation : IDisposable
{
    private readonly GlobalOptions _global;
    private readonly Lazy<ILoggerFactory> _loggers;

    public Invocation(ParseResult parsed, GlobalOptions global, Terminal terminal, Interruption interruption)
    {
        Parsed = parsed;
        _global = global;
        Terminal = terminal;
        Interruption = interruption;
        _loggers = new Lazy<ILoggerFactory>(() => LoggerFactory.Create(ConfigureLogging));
    }

    public ParseResult Parsed { get; }

    public Terminal Terminal { get; }

    public Interruption Interruption { get; }

    /// <summary>Cancelled by Ctrl-C and SIGTERM.</summary>
    public CancellationToken Cancelled => Interruption.Token;

    /// <summary>Whether logs and the places of errors are shown.</summary>
    public bool IsVerbose => Parsed.GetValue(_global.Verbose);

    /// <summary>Where logs go: to standard error, warnings only unless more is asked for.</summary>
    public ILoggerFactory Loggers => _loggers.Value;

    public void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(IsVerbose ? LogLevel.Debug : LogLevel.Warning);
        if (!IsVerbose)
        {
            // llama.cpp warns of what is usual, and calls a step that was cancelled an error; true errors are in exceptions' messages.
            logging.AddFilter("MoeOffload.Native", LogLevel.Critical);
        }

        logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        logging.AddSimpleConsole(console => console.SingleLine = true);
    }

    public void Dispose()
    {
        if (_loggers.IsValueCreated)
        {
            _loggers.Value.Dispose();
        }
    }
}
