using System.Globalization;
using System.Text.Json;
using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Writes the rules of goals.</summary>
internal sealed class SchemaWriter
{
    // llama.cpp follows each alternative for every token.
    private const int MaxListedTexts = 8;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Queue<(string Name, Goal Goal)> _open = new();
    private readonly List<Refusal> _refusals = [];
    private readonly TextRules _texts;
    private readonly ArrayRules _arrays;
    private readonly ObjectRules _objects;

    /// <summary>Initializes a new instance of the <see cref="SchemaWriter"/> class.</summary>
    /// <param name="prefix">The text with which the names of the rules start.</param>
    /// <param name="work">The budget.</param>
    public SchemaWriter(string prefix, WorkBudget work)
    {
        Expander = new SchemaExpander(work);
        Builder = new GrammarBuilder(prefix);
        Common = new CommonRules(Builder);
        _texts = new TextRules(Builder, Common, Expander.Work);
        _arrays = new ArrayRules(this);
        _objects = new ObjectRules(this, _texts);
    }

    /// <summary>Gets the builder of the grammar.</summary>
    public GrammarBuilder Builder { get; }

    /// <summary>Gets the rules that do not depend on a schema.</summary>
    public CommonRules Common { get; }

    /// <summary>Gets the expander of goals.</summary>
    public SchemaExpander Expander { get; }

    /// <summary>Gets the keywords that the rules do not hold.</summary>
    public IEnumerable<Refusal> Refusals => _refusals.Concat(Expander.Doubts).Distinct();

    /// <summary>Returns the rule of a goal.</summary>
    public GrammarSymbol RuleOf(Goal goal)
    {
        if (goal.IsTrivial)
        {
            return Common.Any;
        }

        if (!_names.TryGetValue(goal.Key, out string? name))
        {
            name = Builder.NewName("v");
            _names.Add(goal.Key, name);
            _open.Enqueue((name, goal));
        }

        return GrammarSymbol.Reference(name);
    }

    /// <summary>Writes the rules of all goals that rules refer to.</summary>
    /// <exception cref="SchemaLimitException">The grammar is too large.</exception>
    public void Finish()
    {
        while (_open.TryDequeue(out (string Name, Goal Goal) next))
        {
            Write(next.Name, next.Goal);
            Expander.Charge(10);
            if (Builder.Length > GrammarReader.MaxLength)
            {
                throw new SchemaLimitException(string.Create(CultureInfo.InvariantCulture, $"its grammar has more than {GrammarReader.MaxLength} characters; use fewer or simpler schemas"));
            }
        }
    }

    /// <summary>Records that the rules do not hold a keyword of a goal.</summary>
    public void Refuse(Goal goal, string keyword, string reason)
    {
        SchemaNode schema = goal.Literals.Select(literal => literal.Schema).FirstOrDefault(it => it.Has(keyword)) ?? goal.Literals[0].Schema;
        _refusals.Add(new Refusal(schema.At(keyword), reason));
    }

    /// <summary>Records a keyword that the rules do not hold.</summary>
    public void Refuse(Refusal refusal) => _refusals.Add(refusal);

    /// <summary>Returns alternatives that match one of some texts each.</summary>
    public IEnumerable<IReadOnlyList<GrammarSymbol>> ListTexts(IReadOnlyCollection<string> texts) =>
        texts.Count <= MaxListedTexts ? texts.Select(text => new[] { GrammarSymbol.Literal(text) }) : Branches([.. texts.Order(StringComparer.Ordinal)], 0);

    private void Write(string name, Goal goal)
    {
        Expansion expansion = Expander.Expand(goal);
        _refusals.AddRange(expansion.Refusals);
        List<IReadOnlyList<GrammarSymbol>> alternatives = [.. ListTexts(Listed(goal, expansion.Cases))];
        Case[] cases = [.. expansion.Cases.Where(it => it.Values is null)];
        foreach (IEnumerable<GrammarSymbol> symbols in (IEnumerable<GrammarSymbol>[])[Numbers(goal, cases), Strings(goal, cases), Arrays(goal, cases), Objects(goal, cases)])
        {
            alternatives.AddRange(symbols.Select(symbol => new[] { symbol }));
        }

        Builder.Add(name, alternatives);
    }

    private HashSet<string> Listed(Goal goal, IReadOnlyList<Case> cases)
    {
        IEnumerable<JsonElement> values = cases.SelectMany(it => it.Values ?? (IEnumerable<JsonElement>)JsonConstants.Of(it.Kinds));
        return [.. values.DistinctBy(JsonValues.Write).Where(value => Expander.Allows(goal, value)).Select(JsonValues.Write)];
    }

    private IEnumerable<GrammarSymbol> Numbers(Goal goal, Case[] cases)
    {
        foreach (Case it in Distinct(cases, JsonKinds.Number, one => $"{one.Numbers.Key} {one.Kinds & JsonKinds.Number}", one => one.Numbers.Key.Length == 0 && one.Kinds.HasFlag(JsonKinds.Number)))
        {
            JsonKinds kinds = it.Kinds & JsonKinds.Number;
            if (it.Numbers.Key.Length == 0 && kinds.HasFlag(JsonKinds.Integer))
            {
                yield return kinds == JsonKinds.Number ? Common.Number : Common.Integer;
                continue;
            }

            GrammarSymbol symbol = Common.Number;
            try
            {
                symbol = _texts.Number(it.Numbers, kinds);
            }
            catch (FormatException error)
            {
                Refuse(goal, it.Numbers.Divisors.IsEmpty ? "minimum" : "multipleOf", $"cannot be enforced: {error.Message}");
            }

            yield return symbol;
        }
    }

    private IEnumerable<GrammarSymbol> Strings(Goal goal, Case[] cases)
    {
        foreach (Case it in Distinct(cases, JsonKinds.String, one => one.Strings.Key, one => one.Strings.Key.Length == 0))
        {
            GrammarSymbol symbol = Common.String;
            try
            {
                symbol = _texts.String(it.Strings, Expander);
            }
            catch (FormatException error)
            {
                Refuse(goal, "pattern", $"cannot be enforced together with the others: {error.Message}");
            }

            yield return symbol;
        }
    }

    private IEnumerable<GrammarSymbol> Arrays(Goal goal, Case[] cases) =>
        Distinct(cases, JsonKinds.Array, one => one.Arrays.Key, one => one.Arrays.Key.Length == 0).Select(it => _arrays.Write(goal, it.Arrays));

    private IEnumerable<GrammarSymbol> Objects(Goal goal, Case[] cases) =>
        Distinct(cases, JsonKinds.Object, one => one.Objects.Key, one => one.Objects.Key.Length == 0).Select(it => _objects.Write(goal, it.Objects));

    // A case without facts contains the others.
    private static IEnumerable<Case> Distinct(Case[] cases, JsonKinds kinds, Func<Case, string> keyOf, Func<Case, bool> isAll)
    {
        Case[] those = [.. cases.Where(it => (it.Kinds & kinds) != 0)];
        return Array.Find(those, it => isAll(it)) is { } all ? [all] : those.DistinctBy(keyOf);
    }

    // Texts with the same beginning share it.
    private IEnumerable<IReadOnlyList<GrammarSymbol>> Branches(string[] texts, int start)
    {
        foreach (IGrouping<int, string> group in texts.GroupBy(text => start < text.Length ? char.ConvertToUtf32(text, start) : -1).ToArray())
        {
            string[] members = [.. group];
            if (members.Length == 1 || group.Key < 0)
            {
                yield return group.Key < 0 ? [] : [GrammarSymbol.Literal(members[0][start..])];
                continue;
            }

            int end = start;
            while (end < members[0].Length && Array.TrueForAll(members, text => end < text.Length && text[end] == members[0][end]))
            {
                end++;
            }

            end -= end < members[0].Length && char.IsLowSurrogate(members[0][end]) ? 1 : 0;
            yield return [GrammarSymbol.Literal(members[0][start..end]), Builder.AddNew("t", Branches(members, end))];
        }
    }
}
