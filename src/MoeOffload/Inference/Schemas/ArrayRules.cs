using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Writes the rules of arrays.</summary>
internal sealed class ArrayRules(SchemaWriter writer)
{
    private const int MaxCounted = 64;

    // With more values, the number of sets of them is too large.
    private const int MaxSetSize = 8;
    private const int MaxStates = 20_000;

    private GrammarBuilder Builder => writer.Builder;

    private CommonRules Common => writer.Common;

    /// <summary>Returns the rule of arrays.</summary>
    public GrammarSymbol Write(Goal goal, ArrayFacts facts)
    {
        if (facts.Key.Length == 0)
        {
            return Common.Array;
        }

        int prefix = facts.Layers.Select(layer => layer.Prefix.Count).DefaultIfEmpty().Max();
        bool isOpen = facts.Layers.Any(layer => layer.Rest is { IsImpossible: false }) || prefix == 0 || facts.Least > prefix || !facts.Contains.IsEmpty;
        Goal rest = facts.ItemAt(prefix);
        int? most = !isOpen || writer.Expander.IsEmpty(rest) ? Math.Min(facts.Most ?? prefix, prefix) : facts.Most;
        for (int i = 0; i < Math.Min(prefix, most ?? prefix); i++)
        {
            writer.Expander.Charge(0, facts.Layers.Count);
            most = writer.Expander.IsEmpty(facts.ItemAt(i)) ? i : most;
        }

        if (facts.IsUnique && (most is null or > 1) && !AreDistinct(facts, prefix, most))
        {
            if (prefix == 0 && facts.Contains.IsEmpty && writer.Expander.ListValues(rest) is { } values
                && (long)values.Count * Math.Min(values.Count, most ?? facts.Least) <= MaxStates)
            {
                return WriteUnique([.. values.Select(JsonValues.Write)], facts.Least, most);
            }

            writer.Refuse(goal, "uniqueItems", "can be enforced only for items whose values are listed, by enum for example, and are not too many; list them, or remove it");
        }

        return facts.Contains.IsEmpty ? WriteItems(facts, prefix, most) : WriteContaining(goal, facts, prefix, most);
    }

    // No two items of a tuple can be equal if no value fits two of its places.
    private bool AreDistinct(ArrayFacts facts, int prefix, int? most)
    {
        int count = Math.Min(most ?? int.MaxValue, MaxSetSize);
        return most <= Math.Min(prefix, MaxSetSize) && Enumerable.Range(0, count).All(i =>
            Enumerable.Range(0, i).All(j => writer.Expander.IsEmpty(Goal.Of(facts.ItemAt(i).Literals.Concat(facts.ItemAt(j).Literals)))));
    }

    private GrammarSymbol WriteItems(ArrayFacts facts, int prefix, int? most)
    {
        List<GrammarSymbol> parts = [Text("["), Common.Space];
        int listed = Math.Min(prefix, most ?? prefix);
        for (int i = 0; i < listed; i++)
        {
            parts.AddRange(i == 0 ? [] : [Text(","), Common.Space]);
            parts.Add(writer.RuleOf(facts.ItemAt(i)));
        }

        IReadOnlyList<GrammarSymbol> empty = [Text("["), Common.Space, Text("]")];
        if (most == listed)
        {
            return Builder.AddNew("a", facts.Least > listed ? [] : listed == 0 ? [empty] : [[.. parts, Common.Space, Text("]")]]);
        }

        GrammarSymbol item = writer.RuleOf(facts.ItemAt(prefix));
        GrammarSymbol next = Builder.AddNew("i", [Text(","), Common.Space, item]);
        int first = listed == 0 ? 1 : 0;
        parts.AddRange(first == 1 ? [item] : []);
        int before = listed + first;
        parts.AddRange(RepeatedRules.Write(Builder, next, Math.Max(facts.Least - before, 0), most - before));
        IReadOnlyList<GrammarSymbol> whole = [.. parts, Common.Space, Text("]")];
        return Builder.AddNew("a", first == 1 && facts.Least == 0 ? [empty, whole] : [whole]);
    }

    // Counts the items, and those that meet the demand.
    private GrammarSymbol WriteContaining(Goal goal, ArrayFacts facts, int prefix, int? most)
    {
        (Literal demand, int least, int? limit) = facts.Contains[0];
        int places = Math.Max(Math.Max(prefix, facts.Least), most ?? 0);
        int matches = limit ?? least;
        if (facts.Contains.Count > 1 || places > MaxCounted || matches > MaxCounted)
        {
            writer.Refuse(goal, "contains", $"cannot be enforced together with another one, or with counts over {MaxCounted}");
            return WriteItems(facts, prefix, most);
        }

        string[,] after = Names("e");
        string[,] next = Names("f");
        for (int i = 0; i <= places; i++)
        {
            for (int count = 0; count <= matches; count++)
            {
                bool canEnd = i >= facts.Least && count >= least;
                Builder.Add(after[i, count], [.. canEnd ? [[Common.Space, Text("]")]] : Array.Empty<GrammarSymbol[]>(), [Text(","), Common.Space, Rule(next[i, count])]]);
                Builder.Add(next[i, count], Items(i, count));
            }
        }

        GrammarSymbol[] start = [Text("["), Common.Space, Rule(next[0, 0])];
        return Builder.AddNew("a", least == 0 && facts.Least == 0 ? [start, [Text("["), Common.Space, Text("]")]] : [start]);

        IEnumerable<IReadOnlyList<GrammarSymbol>> Items(int i, int count)
        {
            if (i == most)
            {
                yield break;
            }

            IReadOnlyList<Literal> item = facts.ItemAt(i).Literals;
            int then = Math.Min(i + 1, places);
            if (limit is null || count < limit)
            {
                yield return [writer.RuleOf(Goal.Of([.. item, demand])), Rule(after[then, Math.Min(count + 1, matches)])];
            }

            Goal other = limit is null ? Goal.Of(item) : Goal.Of([.. item, demand with { IsNegated = !demand.IsNegated }]);
            yield return [writer.RuleOf(other), Rule(after[then, count])];
        }

        string[,] Names(string hint)
        {
            string[,] names = new string[places + 1, matches + 1];
            for (int i = 0; i <= places; i++)
            {
                for (int count = 0; count <= matches; count++)
                {
                    names[i, count] = Builder.NewName(hint);
                }
            }

            return names;
        }
    }

    // Few values can come in any order; many keep that of the list.
    private GrammarSymbol WriteUnique(string[] values, int least, int? most)
    {
        int limit = Math.Min(most ?? values.Length, values.Length);
        var rules = new Dictionary<(int Used, int Count), (string After, string Next)>();
        var open = new Queue<(int Used, int Count)>();
        bool isSet = values.Length <= MaxSetSize;
        string first = Get((0, 0)).Next;
        while (open.TryDequeue(out (int Used, int Count) state))
        {
            writer.Expander.Charge();
            (string after, string next) = rules[state];
            IEnumerable<IReadOnlyList<GrammarSymbol>> ends = state.Count >= least ? [[Common.Space, Text("]")]] : [];
            Builder.Add(after, state.Count < limit ? ends.Append([Text(","), Common.Space, Rule(next)]) : ends);
            Builder.Add(next, state.Count < limit ? Steps(state) : []);
        }

        GrammarSymbol[] start = [Text("["), Common.Space, Rule(first)];
        return Builder.AddNew("a", least == 0 ? [start, [Text("["), Common.Space, Text("]")]] : [start]);

        IEnumerable<IReadOnlyList<GrammarSymbol>> Steps((int Used, int Count) state)
        {
            for (int i = 0; isSet && i < values.Length; i++)
            {
                if ((state.Used & (1 << i)) == 0)
                {
                    yield return [GrammarSymbol.Literal(values[i]), Rule(Get((state.Used | (1 << i), state.Count + 1)).After)];
                }
            }

            if (!isSet && state.Used < values.Length)
            {
                yield return [GrammarSymbol.Literal(values[state.Used]), Rule(Get((state.Used + 1, Counted(state.Count + 1))).After)];
                yield return [Rule(Get((state.Used + 1, state.Count)).Next)];
            }
        }

        // Beyond the minimum, the number does not matter unless there is a maximum below that of the values.
        int Counted(int count) => limit == values.Length ? Math.Min(count, least) : count;

        (string After, string Next) Get((int Used, int Count) state)
        {
            if (!rules.TryGetValue(state, out (string After, string Next) names))
            {
                names = (Builder.NewName("e"), Builder.NewName("f"));
                rules.Add(state, names);
                open.Enqueue(state);
            }

            return names;
        }
    }

    private static GrammarSymbol Text(string text) => GrammarSymbol.Literal(text);

    private static GrammarSymbol Rule(string name) => GrammarSymbol.Reference(name);
}
