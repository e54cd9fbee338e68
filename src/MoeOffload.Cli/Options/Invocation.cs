using System.CommandLine;
using Microsoft.Extensions.Logging;
using MoeOffload.Cli.Terminals;

namespace MoeOffload.Cli.Options;

/// <summary>Represents one invocation of the command: its arguments, terminal, logging and cancellation.</summary>
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

    /// <summary>Gets the token that Ctrl-C and SIGTERM cancel.</summary>
    public CancellationToken Cancelled => Interruption.Token;

    /// <summary>Gets a value that indicates whether to show the log and stack traces.</summary>
    public bool IsVerbose => Parsed.GetValue(_global.Verbose);

    /// <summary>Configures logging to standard error, with warnings only unless the command is verbose.</summary>
    public ILoggerFactory Loggers => _loggers.Value;

    public void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(IsVerbose ? LogLevel.Debug : LogLevel.Warning);
        if (!IsVerbose)
        {
            // llama.cpp logs warnings about normal conditions, and logs canceled steps as errors. Real errors are in the messages of exceptions.
            logging.AddFilter("MoeOffload.Native", LogLevel.Critical);

            // An address that is in use is reported by the command, in one line.
            logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
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
