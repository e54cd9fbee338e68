using MoeOffload.Inference.Automata;

namespace MoeOffload.Inference.Schemas;

/// <summary>Combines facts about strings to automata.</summary>
internal static class StringLanguages
{
    // Of strings that can be longer, only those are written that exceed the minimum by as much.
    private static readonly int[] s_spans = [1_000, 200];

    /// <summary>
    /// Returns the automaton of the strings, or null if the facts are about their length only. If the lengths make it too large, the longest strings
    /// are left out.
    /// </summary>
    /// <exception cref="FormatException">The automaton is too large.</exception>
    public static Dfa? CombineShort(StringFacts facts, SchemaExpander expander)
    {
        foreach (int span in s_spans)
        {
            try
            {
                return Combine(facts, expander);
            }
            catch (FormatException) when (facts.Most - facts.Least > span)
            {
                facts = facts with { Most = facts.Least + span };
            }
        }

        return Combine(facts, expander);
    }

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
            result = facts.Languages.Select(language => language.Language).Aggregate((one, other) => one.Intersect(other, expander.Work));
            result = facts.Least == 0 && facts.Most is null ? result : result.Intersect(Dfa.OfLength(facts.Least, facts.Most, expander.Work), expander.Work);
            expander.Strings.Add(facts.Key, result);
        }

        return result;
    }
}
