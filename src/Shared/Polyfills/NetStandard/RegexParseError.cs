namespace System.Text.RegularExpressions;

/// <summary>Specifies an error in a pattern: the members that this library needs.</summary>
internal enum RegexParseError
{
    InsufficientClosingParentheses,
    InsufficientOpeningParentheses,
    UnterminatedBracket,
    UnescapedEndingBackslash,
    QuantifierAfterNothing,
    ReversedCharacterRange,
    ReversedQuantifierRange,
}
