using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Compiles the patterns of a schema once each.</summary>
internal sealed class PatternCache
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, (Dfa? Language, string? Error)> _languages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Regex?> _expressions = new(StringComparer.Ordinal);

    /// <summary>Returns the automaton of a pattern, or the reason that there is none.</summary>
    public (Dfa? Language, string? Error) Compile(string pattern) => _languages.GetOrAdd(pattern, static text =>
    {
        try
        {
            return (PatternReader.Compile(text), null);
        }
        catch (FormatException error)
        {
            return (null, error.Message);
        }
    });

    /// <summary>Determines whether a text has a match of a pattern. A pattern that cannot be evaluated matches everything.</summary>
    public bool Matches(string pattern, string text)
    {
        if (Compile(pattern).Language is { } language)
        {
            return language.Matches(text);
        }

        try
        {
            return _expressions.GetOrAdd(pattern, static it => Make(it))?.IsMatch(text) != false;
        }
        catch (RegexMatchTimeoutException)
        {
            return true;
        }
    }

    private static Regex? Make(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, s_limit);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
