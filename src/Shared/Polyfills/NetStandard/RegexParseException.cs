namespace System.Text.RegularExpressions;

/// <summary>Represents the error in a pattern that .NET 7 throws. Older runtimes throw an <see cref="ArgumentException"/>, which does not say which one it is.</summary>
internal sealed class RegexParseException : ArgumentException
{
    private RegexParseException()
    {
    }

    public RegexParseError Error { get; }

    public int Offset { get; }
}
