using System.Globalization;
using System.Text;
using MoeOffload.Inference.Automata;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Writes the rules of strings and numbers.</summary>
internal sealed class TextRules(GrammarBuilder builder, CommonRules common, WorkBudget work)
{
    private static readonly CharSet s_special = CharSet.Of((0, 0x1F), ('"', '"'), ('\\', '\\'), (0x7F, 0x7F), (0xD800, 0xDFFF));

    private readonly Dictionary<string, GrammarSymbol> _known = new(StringComparer.Ordinal);

    /// <summary>Returns the rule of strings.</summary>
    /// <exception cref="FormatException">The automaton of the strings is too large.</exception>
    public GrammarSymbol String(StringFacts facts, SchemaExpander expander)
    {
        if (facts.Key.Length == 0)
        {
            return common.String;
        }

        Dfa? language = StringLanguages.CombineShort(facts, expander);
        return Known($"string {facts.Key}", () => language is not null
            ? String(language)
            : builder.AddNew(
                "s",
                [GrammarSymbol.Literal("\""), .. RepeatedRules.Write(builder, common.Character, facts.Least, facts.Most), GrammarSymbol.Literal("\"")]));
    }

    /// <summary>Returns the rule of the strings of an automaton.</summary>
    public GrammarSymbol String(Dfa language) => language.Count == 0
        ? builder.AddNew("s")
        : builder.AddNew("s", [GrammarSymbol.Literal("\""), .. States(language, "c", Character, [GrammarSymbol.Literal("\"")])]);

    /// <summary>Returns the rule of numbers.</summary>
    /// <exception cref="FormatException">The automaton of the numbers is too large.</exception>
    public GrammarSymbol Number(NumberFacts facts, JsonKinds kinds)
    {
        return Known($"number {kinds} {facts.Key}", () => builder.AddNew("n", [.. Alternatives()]));

        IEnumerable<IReadOnlyList<GrammarSymbol>> Alternatives()
        {
            (Dfa natural, Dfa negative) = new NumberLanguage(work).Of(facts, kinds);
            if (natural.Count > 0)
            {
                yield return States(natural, "d", Digit, []);
            }

            if (negative.Count > 0)
            {
                yield return [GrammarSymbol.Literal("-"), .. States(negative, "d", Digit, [])];
            }
        }
    }

    private GrammarSymbol Known(string key, Func<GrammarSymbol> make) => _known.TryGetValue(key, out GrammarSymbol symbol) ? symbol : _known[key] = make();

    // Each state becomes a rule, unless only one other leads to it and it leads to one other.
    private List<GrammarSymbol> States(Dfa language, string hint, Func<CharSet, GrammarSymbol> write, IReadOnlyList<GrammarSymbol> end)
    {
        List<(CharSet Set, int Target)>[] steps = [.. Enumerable.Range(0, language.Count).Select(state => language.Transitions(state).ToList())];
        work.Spend(steps.Sum(step => step.Sum(it => (long)it.Set.Ranges.Count)));
        int[] uses = new int[steps.Length];
        uses[0] = 2;
        foreach ((_, int target) in steps.SelectMany(step => step))
        {
            uses[target]++;
        }

        string?[] names = [.. Enumerable.Range(0, steps.Length).Select(state => IsInline(state) ? null : builder.NewName(hint))];
        for (int state = 0; state < steps.Length; state++)
        {
            if (names[state] is { } name)
            {
                IEnumerable<IReadOnlyList<GrammarSymbol>> alternatives = steps[state].Select(step => (IReadOnlyList<GrammarSymbol>)[write(step.Set), .. After(step.Target)]);
                builder.Add(name, language.Accepts(state) ? alternatives.Append(end) : alternatives);
            }
        }

        return After(0);

        bool IsInline(int state) => language.Accepts(state) ? steps[state].Count == 0 : uses[state] == 1 && steps[state].Count == 1;

        List<GrammarSymbol> After(int state)
        {
            List<GrammarSymbol> symbols = [];
            while (names[state] is null && steps[state] is [var only])
            {
                symbols.Add(write(only.Set));
                state = only.Target;
            }

            symbols.AddRange(names[state] is { } name ? [GrammarSymbol.Reference(name)] : end);
            return symbols;
        }
    }

    private static GrammarSymbol Digit(CharSet set) => GrammarSymbol.Terminal(Class(set));

    private GrammarSymbol Character(CharSet set) => set.HasAllScalars ? common.Character : Known($"class {set}", () =>
    {
        List<GrammarSymbol> alternatives = [];
        CharSet plain = set.Except(s_special);
        if (!plain.IsEmpty)
        {
            alternatives.Add(GrammarSymbol.Terminal(Class(plain)));
        }

        foreach (char character in "\"\\\b\f\n\r\t".Where(character => set.Contains(character)))
        {
            alternatives.Add(GrammarSymbol.Literal(JsonValues.Write(character.ToString())[1..^1]));
        }

        // Other control characters are written only if nothing else can be.
        for (int code = 0; alternatives.Count == 0 && code <= 0x7F; code++)
        {
            if (set.Contains(code))
            {
                alternatives.Add(GrammarSymbol.Literal(JsonValues.Write(((char)code).ToString())[1..^1]));
            }
        }

        return alternatives is [var only] && only.Text.Length < 24 ? only : builder.AddNew("x", alternatives.Select(alternative => new[] { alternative }));
    });

    private static string Class(CharSet set)
    {
        if (set.Ranges is [( >= ' ' and < 0x7F and var from, var to)] && from == to)
        {
            return GrammarSymbol.Literal(((char)from).ToString()).Text;
        }

        var text = new StringBuilder("[");
        foreach ((int first, int last) in set.Ranges)
        {
            text.Append(Code(first));
            _ = first < last ? text.Append('-').Append(Code(last)) : text;
        }

        return text.Append(']').ToString();
    }

    private static string Code(int value) =>
        value < 0x80 && char.IsAsciiLetterOrDigit((char)value) ? ((char)value).ToString()
        : value <= 0xFF ? string.Create(CultureInfo.InvariantCulture, $"\\x{value:X2}")
        : value <= 0xFFFF ? string.Create(CultureInfo.InvariantCulture, $"\\u{value:X4}")
        : string.Create(CultureInfo.InvariantCulture, $"\\U{value:X8}");
}
