using System.Globalization;
using System.Text.Json;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Writes the rules of objects. Declared members come in their order, and before the others.</summary>
internal sealed class ObjectRules(SchemaWriter writer, TextRules texts)
{
    private const int MaxStates = 20_000;

    private GrammarBuilder Builder => writer.Builder;

    private CommonRules Common => writer.Common;

    /// <summary>Returns the rule of objects.</summary>
    public GrammarSymbol Write(Goal goal, ObjectFacts facts)
    {
        if (facts.Key.Length == 0)
        {
            return Common.Object;
        }

        Goal names = Goal.Of(facts.Names);
        List<(GrammarSymbol Member, bool IsRequired)> members = [];
        HashSet<string> required = new(facts.Required, StringComparer.Ordinal);
        long parts = facts.Layers.Sum(layer => 1L + layer.Patterns.Count);
        foreach (string name in facts.Layers.SelectMany(layer => layer.Names).Concat(facts.Required).Distinct())
        {
            writer.Expander.Charge(1, parts);
            bool isRequired = required.Contains(name);
            bool isAllowed = names.IsTrivial || writer.Expander.Allows(names, JsonElement.Parse(JsonValues.Write(name)));
            Goal demand = facts.MemberOf(name);
            if (!isAllowed || demand.IsImpossible)
            {
                if (isRequired)
                {
                    return Builder.AddNew("o");
                }

                continue;
            }

            members.Add((Builder.AddNew("m", [Text(JsonValues.Write(name)), Common.Space, Text(":"), Common.Space, writer.RuleOf(demand)]), isRequired));
        }

        IReadOnlyList<IReadOnlyList<GrammarSymbol>> others = new OtherMembers(writer, texts, goal, facts).Write(members.Count);
        GrammarSymbol? other = others.Count > 0 ? Builder.AddNew("m", others) : null;
        return WriteMembers(goal, facts, members, other);
    }

    private GrammarSymbol WriteMembers(Goal goal, ObjectFacts facts, List<(GrammarSymbol Member, bool IsRequired)> members, GrammarSymbol? other)
    {
        int count = members.Count;
        int least = facts.Least;
        int? most = other is null && facts.Most >= count ? null : facts.Most;

        // Other members can have the same name, so that only one of them counts for the minimum.
        if (least > count + (other is null ? 0 : 1))
        {
            writer.Refuse(goal, "minProperties", "asks for several members without a declared name, whose names could be the same; declare properties, or lower it");
            least = count + (other is null ? 0 : 1);
        }

        int counted = most ?? least;
        if ((long)counted * count > MaxStates || counted > MaxStates)
        {
            writer.Refuse(goal, most is null ? "minProperties" : "maxProperties", string.Create(CultureInfo.InvariantCulture, $"is too large to be enforced for {count} properties"));
            (counted, least, most) = (0, 0, null);
        }

        var states = new MemberStates(this, members, other, least, most, counted);
        return states.Write();
    }

    private static GrammarSymbol Text(string text) => GrammarSymbol.Literal(text);

    // The states of an object that is being written: the next declared member, and the number of members so far.
    private sealed class MemberStates(
        ObjectRules rules, List<(GrammarSymbol Member, bool IsRequired)> members, GrammarSymbol? other, int least, int? most, int counted)
    {
        private readonly string[] _after = Names(rules, "g", members.Count, counted);
        private readonly string[] _next = Names(rules, "k", members.Count, counted);
        private readonly string[] _others = Names(rules, "p", 0, counted);

        public GrammarSymbol Write()
        {
            int open = members.FindLastIndex(member => member.IsRequired) + 1;
            for (int i = 0; i <= members.Count; i++)
            {
                for (int count = 0; count <= counted; count++)
                {
                    rules.Builder.Add(_after[At(i, count)], After(count, i >= open && count >= least, _next[At(i, count)]));
                    rules.Builder.Add(_next[At(i, count)], Next(i, count));
                }
            }

            for (int count = 0; count <= counted; count++)
            {
                rules.Builder.Add(_others[count], [.. End(count >= least), .. Other(count, isFirst: false)]);
            }

            IReadOnlyList<GrammarSymbol> start = [Text("{"), rules.Common.Space, GrammarSymbol.Reference(_next[0])];
            return rules.Builder.AddNew("o", open == 0 && least == 0 ? [start, [Text("{"), rules.Common.Space, Text("}")]] : [start]);
        }

        private static string[] Names(ObjectRules rules, string hint, int places, int counted) =>
            [.. Enumerable.Range(0, (places + 1) * (counted + 1)).Select(_ => rules.Builder.NewName(hint))];

        private int At(int place, int count) => (place * (counted + 1)) + Math.Min(count, counted);

        private IEnumerable<IReadOnlyList<GrammarSymbol>> End(bool canEnd) => canEnd ? [[rules.Common.Space, Text("}")]] : [];

        private IEnumerable<IReadOnlyList<GrammarSymbol>> After(int count, bool canEnd, string next)
        {
            IReadOnlyList<GrammarSymbol> more = [Text(","), rules.Common.Space, GrammarSymbol.Reference(next)];
            return most is null || count < most ? End(canEnd).Append(more) : End(canEnd);
        }

        private IEnumerable<IReadOnlyList<GrammarSymbol>> Next(int place, int count)
        {
            if (place == members.Count)
            {
                return Other(count, isFirst: true);
            }

            (GrammarSymbol member, bool isRequired) = members[place];
            IEnumerable<IReadOnlyList<GrammarSymbol>> taken = most is null || count < most ? [[member, GrammarSymbol.Reference(_after[At(place + 1, count + 1)])]] : [];
            return isRequired ? taken : taken.Append([GrammarSymbol.Reference(_next[At(place + 1, count)])]);
        }

        // After the first, the next ones do not count for the minimum, and come after a comma.
        private IEnumerable<IReadOnlyList<GrammarSymbol>> Other(int count, bool isFirst)
        {
            if (other is null || (most is not null && count >= most) || (count + 1 < least))
            {
                return [];
            }

            GrammarSymbol[] step = [other.Value, GrammarSymbol.Reference(_others[Math.Min(count + 1, counted)])];
            return [isFirst ? step : [Text(","), rules.Common.Space, .. step]];
        }
    }
}
