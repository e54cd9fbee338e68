using System.Text.Json;
using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>
/// Writes the members of an object whose names are not declared. A name is written in only one way, so that no spelling of a declared name is
/// taken for another one.
/// </summary>
internal sealed class OtherMembers(SchemaWriter writer, TextRules texts, Goal goal, ObjectFacts facts)
{
    private const int MaxPatterns = 6;

    private Dfa? _undeclared;

    private WorkBudget Work => writer.Expander.Work;

    /// <summary>Returns the alternatives for a member.</summary>
    /// <param name="declared">The number of declared members.</param>
    public IReadOnlyList<IReadOnlyList<GrammarSymbol>> Write(int declared)
    {
        string[] known = [.. facts.Layers.SelectMany(layer => layer.Properties.Keys).Concat(facts.Required).Distinct()];
        (string Pattern, Dfa Language)[] patterns =
            [.. facts.Layers.SelectMany(layer => layer.Patterns).Select(it => (it.Pattern, it.Language)).DistinctBy(it => it.Pattern)];
        bool isOpen = facts.Layers.Any(layer => layer.Additional is { IsImpossible: false })
            || (known.Length == 0 && patterns.Length == 0) || facts.Least > declared || !facts.Names.IsEmpty;
        if (patterns.Length > MaxPatterns)
        {
            writer.Refuse(goal, "patternProperties", $"has more than {MaxPatterns} patterns; use fewer");
            return [];
        }

        List<IReadOnlyList<GrammarSymbol>> result = [];
        for (int matched = isOpen ? 0 : 1; matched < 1 << patterns.Length; matched++)
        {
            Goal demand = DemandOn(patterns, matched);
            if (demand.IsImpossible)
            {
                continue;
            }

            try
            {
                result.AddRange(Keys(known, patterns, matched)
                    .Select(key => (IReadOnlyList<GrammarSymbol>)[key, writer.Common.Space, GrammarSymbol.Literal(":"), writer.Common.Space, writer.RuleOf(demand)]));
            }
            catch (FormatException error)
            {
                writer.Refuse(goal, patterns.Length > 0 ? "patternProperties" : "additionalProperties", $"cannot be enforced for the names of this object: {error.Message}");
            }
        }

        return result;
    }

    private Goal DemandOn((string Pattern, Dfa Language)[] patterns, int matched)
    {
        List<Literal> demands = [];
        foreach (ObjectLayer layer in facts.Layers)
        {
            Literal[] own = [.. layer.Patterns.Where(it => (matched & (1 << Array.FindIndex(patterns, pattern => pattern.Pattern == it.Pattern))) != 0).Select(it => it.Demand)];
            demands.AddRange(own.Length > 0 ? own : layer.Additional is { } additional ? [additional] : []);
        }

        return Goal.Of(demands);
    }

    private IEnumerable<GrammarSymbol> Keys(string[] known, (string Pattern, Dfa Language)[] patterns, int matched)
    {
        Dfa? others = known.Length > 0 ? _undeclared ??= Dfa.OfTexts(known, Work).Complement(Work) : null;
        for (int i = 0; i < patterns.Length; i++)
        {
            Dfa language = (matched & (1 << i)) != 0 ? patterns[i].Language : patterns[i].Language.Complement(Work);
            others = others is null ? language : others.Intersect(language, Work);
        }

        foreach (Dfa? names in Names())
        {
            Dfa? both = others is null ? names : names is null ? others : others.Intersect(names, Work);
            if (both is not { Count: 0 })
            {
                yield return both is null ? writer.Common.String : texts.String(both);
            }
        }
    }

    // Returns the names that propertyNames allows, or null for any name.
    private List<Dfa?> Names()
    {
        Goal demand = Goal.Of(facts.Names);
        if (demand.IsTrivial)
        {
            return [null];
        }

        Expansion expansion = writer.Expander.Expand(demand);
        foreach (Refusal refusal in expansion.Refusals)
        {
            writer.Refuse(refusal);
        }

        List<Dfa?> result = [];
        foreach (Case it in expansion.Cases.Where(it => it.Kinds.HasFlag(JsonKinds.String)))
        {
            result.Add(it.Values is { } values
                ? Dfa.OfTexts(values.Where(value => value.ValueKind == JsonValueKind.String && writer.Expander.Allows(demand, value)).Select(value => value.GetString()!), Work)
                : StringLanguages.CombineShort(it.Strings, writer.Expander) ?? (it.Strings.Key.Length > 0 ? Dfa.OfLength(it.Strings.Least, it.Strings.Most, Work) : null));
        }

        return result;
    }
}
