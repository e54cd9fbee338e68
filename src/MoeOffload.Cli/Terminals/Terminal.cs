using System.Text;
using Spectre.Console;

namespace MoeOffload.Cli.Terminals;

/// <summary>Represents the terminal. Results are written to standard output, and everything else to standard error.</summary>
internal sealed class Terminal
{
    private readonly Lazy<IAnsiConsole> _errors = new(() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }));

    public Terminal()
    {
        // Without this, redirected output would begin with a byte order mark.
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        bool moves = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        Out = Console.Out;
        Error = Console.Error;
        IsInputTyped = !Console.IsInputRedirected;
        IsOutputSeen = !Console.IsOutputRedirected;
        IsErrorSeen = !Console.IsErrorRedirected && moves;
        HasColors = IsOutputSeen && moves && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Gets a value that indicates whether standard input is a terminal.</summary>
    public bool IsInputTyped { get; }

    /// <summary>Gets a value that indicates whether standard output is a terminal.</summary>
    public bool IsOutputSeen { get; }

    /// <summary>Gets a value that indicates whether standard error is a terminal that can move its cursor.</summary>
    public bool IsErrorSeen { get; }

    /// <summary>Gets a value that indicates whether to write colors; see https://no-color.org.</summary>
    public bool HasColors { get; }

    /// <summary>Gets the console that draws on standard error.</summary>
    public IAnsiConsole Errors => _errors.Value;

    /// <summary>Returns a text in grey, if the terminal has colors.</summary>
    public string Grey(string text) => HasColors && text.Length > 0 ? $"\e[90m{text}\e[0m" : text;

    /// <summary>Removes the control characters from a text, so that a model cannot control the terminal.</summary>
    public string Harmless(string text) => IsOutputSeen && text.Any(IsControl)
        ? string.Concat(text.Select(character => IsControl(character) ? '\uFFFD' : character))
        : text;

    private static bool IsControl(char character) => char.IsControl(character) && character is not ('\n' or '\t' or '\r');
}
