using System.Text.RegularExpressions;

namespace MoeOffload.Placement;

/// <summary>
/// Represents a placement pattern as .NET's regular expressions interpret it, which is enough to plan without native libraries. When a
/// model is loaded, llama.cpp's own engine, <c>std::regex</c>, compiles and matches the pattern, and its result decides.
/// </summary>
internal sealed class PlacementPattern
{
    private const int MaxLength = 1024;
    private const int MaxNesting = 64;

    // A name has at most 63 bytes: a reasonable pattern takes microseconds.
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(250);

    private readonly Regex? _regex;

    private PlacementPattern(Regex? regex) => _regex = regex;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">Both engines reject the pattern, or it exceeds a limit. The message says why.</exception>
    public static PlacementPattern Parse(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw new FormatException($"{pattern.Length} characters long; at most {MaxLength} are allowed");
        }

        if (pattern.Contains('\0', StringComparison.Ordinal))
        {
            throw new FormatException("contains a NUL character");
        }

        // std::regex parses nested groups recursively.
        if (pattern.Count(character => character == '(') > MaxNesting)
        {
            throw new FormatException($"more than {MaxNesting} groups");
        }

        try
        {
            return new PlacementPattern(new Regex(pattern, RegexOptions.ECMAScript, s_limit));
        }
        catch (ArgumentException exception)
        {
            return exception is RegexParseException error && Reason(error.Error) is { } reason
                ? throw new FormatException($"{reason} (character {error.Offset})", error)
                : new PlacementPattern(null);
        }
    }

    /// <summary>Determines whether the pattern is found in a name. <see langword="null"/> means that only llama.cpp's engine can tell.</summary>
    public bool? IsFoundIn(string tensorName)
    {
        try
        {
            return _regex?.IsMatch(tensorName);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    // These are the errors that std::regex reports as well; the engines differ about the others.
    private static string? Reason(RegexParseError error) => error switch
    {
        RegexParseError.InsufficientClosingParentheses or RegexParseError.InsufficientOpeningParentheses => "unbalanced parenthesis",
        RegexParseError.UnterminatedBracket => "unbalanced bracket",
        RegexParseError.UnescapedEndingBackslash => "a backslash with nothing after it",
        RegexParseError.QuantifierAfterNothing => "nothing to repeat before *, +, ? or {",
        RegexParseError.ReversedCharacterRange => "a character range in reverse order",
        RegexParseError.ReversedQuantifierRange => "a repetition whose maximum is less than its minimum",
        _ => null,
    };
}
