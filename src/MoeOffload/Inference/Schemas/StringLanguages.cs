using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Combines facts about strings to automata.</summary>
internal static class StringLanguages
{
    /// <summary>Returns the automaton of the strings, or null if the facts are about their length only.</summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    public static Dfa? Combine(StringFacts facts, SchemaExpander expander)
    {
        if (facts.Languages.IsEmpty)
        {
            return null;
        }

        if (!expander.Strings.TryGetValue(facts.Key, out Dfa? result))
        {
            expander.Charge(100);
            result = facts.Languages.Select(language => language.Language).Aggregate((one, other) => one.Intersect(other));
            result = facts.Least == 0 && facts.Most is null ? result : result.Intersect(Dfa.OfLength(facts.Least, facts.Most));
            expander.Strings.Add(facts.Key, result);
        }

        return result;
    }
}
