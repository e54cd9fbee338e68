using System.Text.RegularExpressions;

namespace MoeOffload.Placement;

/// <summary>
/// A placement pattern as managed code reads it: enough to plan without native libraries. Before a load the pattern is compiled and
/// searched by llama.cpp's own engine, <c>std::regex</c>, whose word is final.
/// </summary>
internal sealed class PlacementPattern
{
    private const int MaxLength = 1024;
    private const int MaxNesting = 64;

    // A name has at most 63 bytes: a sound pattern takes microseconds.
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(250);

    private readonly Regex? _regex;

    private PlacementPattern(Regex? regex) => _regex = regex;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is malformed in both engines' view, or beyond the limits; the message says why.</exception>
    public static PlacementPattern Parse(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw new FormatException($"{pattern.Length} characters long; {MaxLength} are allowed");
        }

        if (pattern.Contains('\0', StringComparison.Ordinal))
        {
            throw new FormatException("contains a NUL character");
        }

        // std::regex descends into each group by recursion.
        if (pattern.Count(character => character == '(') > MaxNesting)
        {
            throw new FormatException($"more than {MaxNesting} groups");
        }

        try
        {
            return new PlacementPattern(new Regex(pattern, RegexOptions.ECMAScript, s_limit));
        }
        catch (RegexParseException error)
        {
            return Reason(error.Error) is { } reason
                ? throw new FormatException($"{reason} (character {error.Offset})", error)
                : new PlacementPattern(null);
        }
    }

    /// <summary>Whether the pattern is found in the name, or <see langword="null"/> where only llama.cpp's engine can tell.</summary>
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

    // The errors that std::regex reports as well; about the rest the engines differ.
    private static string? Reason(RegexParseError error) => error switch
    {
        RegexParseError.InsufficientClosingParentheses or RegexParseError.InsufficientOpeningParentheses => "unbalanced parenthesis",
        RegexParseError.UnterminatedBracket => "unbalanced bracket",
        RegexParseError.UnescapedEndingBackslash => "a backslash with nothing after it",
        RegexParseError.QuantifierAfterNothing => "nothing to repeat before *, +, ? or {",
        RegexParseError.ReversedCharacterRange => "a range in brackets that ends before it begins",
        RegexParseError.ReversedQuantifierRange => "a repetition whose most is less than its least",
        _ => null,
    };
}
