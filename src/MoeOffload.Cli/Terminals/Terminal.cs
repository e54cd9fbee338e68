using System.Text;
using Spectre.Console;

namespace MoeOffload.Cli.Terminals;

/// <summary>Where the command writes: results to standard output, everything else to standard error.</summary>
internal sealed class Terminal
{
    private readonly Lazy<IAnsiConsole> _errors = new(() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }));

    public Terminal()
    {
        // Without a byte order mark, which would be the first thing in a file that output goes to.
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

    /// <summary>Whether someone types.</summary>
    public bool IsInputTyped { get; }

    /// <summary>Whether someone looks at the output.</summary>
    public bool IsOutputSeen { get; }

    /// <summary>Whether someone looks at the errors, on something that can move its cursor.</summary>
    public bool IsErrorSeen { get; }

    /// <summary>Whether colours are wanted; https://no-color.org.</summary>
    public bool HasColors { get; }

    /// <summary>Standard error with what can be drawn on it.</summary>
    public IAnsiConsole Errors => _errors.Value;

    /// <summary>A text in grey, where there are colours.</summary>
    public string Grey(string text) => HasColors && text.Length > 0 ? $"\e[90m{text}\e[0m" : text;

    /// <summary>What a model wrote, without characters by which it could take over a terminal.</summary>
    public string Harmless(string text) => IsOutputSeen && text.Any(IsControl)
        ? string.Concat(text.Select(character => IsControl(character) ? '\uFFFD' : character))
        : text;

    private static bool IsControl(char character) => char.IsControl(character) && character is not ('\n' or '\t' or '\r');
}
