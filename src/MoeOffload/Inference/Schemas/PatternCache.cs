using System.Text.RegularExpressions;
using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Compiles the patterns of a schema once each.</summary>
/// <param name="work">The budget.</param>
internal sealed class PatternCache(WorkBudget work)
{
    private const int MaxTimeouts = 5;

    private static readonly TimeSpan s_limit = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, (Dfa? Language, string? Error)> _languages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Regex?> _expressions = new(StringComparer.Ordinal);
    private int _timeouts;

    /// <summary>Returns the automaton of a pattern, or the reason that there is none.</summary>
    /// <exception cref="WorkLimitException">There was too much work.</exception>
    public (Dfa? Language, string? Error) Compile(string pattern)
    {
        if (!_languages.TryGetValue(pattern, out (Dfa?, string?) result))
        {
            try
            {
                result = (PatternReader.Compile(pattern, work), null);
            }
            catch (FormatException error)
            {
                result = (null, error.Message);
            }

            _languages.Add(pattern, result);
        }

        return result;
    }

    /// <summary>Determines whether a text has a match of a pattern. A pattern that cannot be evaluated matches everything.</summary>
    public bool Matches(string pattern, string text)
    {
        if (FindLanguage(pattern) is { } language)
        {
            return language.Matches(text);
        }

        if (!_expressions.TryGetValue(pattern, out Regex? expression))
        {
            _expressions.Add(pattern, expression = Make(pattern));
        }

        try
        {
            return _timeouts >= MaxTimeouts || expression?.IsMatch(text) != false;
        }
        catch (RegexMatchTimeoutException)
        {
            _timeouts++;
            return true;
        }
    }

    private Dfa? FindLanguage(string pattern)
    {
        try
        {
            return work.IsSpent ? null : Compile(pattern).Language;
        }
        catch (WorkLimitException)
        {
            return null;
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
