using MoeOffload.Inference.Grammars;

namespace MoeOffload.Inference.Schemas;

/// <summary>Writes the rules of JSON, each when it is first used.</summary>
internal sealed class CommonRules(GrammarBuilder builder)
{
    private const string Hex = "[0-9a-fA-F]";

    /// <summary>Gets the rule of any value.</summary>
    public GrammarSymbol Any => Rule("any", () =>
        [[Object], [Array], [String], [Number], [Text("true")], [Text("false")], [Text("null")]]);

    /// <summary>Gets the rule of any object.</summary>
    public GrammarSymbol Object => Rule("object", () =>
    {
        GrammarSymbol rest = GrammarSymbol.Reference(builder.FixedName("members"));
        builder.Add(rest.Text, [Space, Text("}")], [Text(","), Space, Member, rest]);
        return [[Text("{"), Space, Text("}")], [Text("{"), Space, Member, rest]];
    });

    /// <summary>Gets the rule of any array.</summary>
    public GrammarSymbol Array => Rule("array", () =>
    {
        GrammarSymbol rest = GrammarSymbol.Reference(builder.FixedName("items"));
        builder.Add(rest.Text, [Space, Text("]")], [Text(","), Space, Any, rest]);
        return [[Text("["), Space, Text("]")], [Text("["), Space, Any, rest]];
    });

    /// <summary>Gets the rule of any string.</summary>
    public GrammarSymbol String => Rule("string", () => [[Text("\""), Character with { Text = $"{Character.Text}*" }, Text("\"")]]);

    /// <summary>Gets the rule of any character of a string. Surrogates occur in pairs only.</summary>
    public GrammarSymbol Character => Rule("char", () =>
    [
        [GrammarSymbol.Terminal("[^\"\\\\\\x00-\\x1F\\x7F]")],
        [GrammarSymbol.Terminal("\"\\\\\" [\"\\\\/bfnrt]")],
        [GrammarSymbol.Terminal($"\"\\\\u\" [0-9a-cA-Ce-fE-F] {Hex}{{3}}")],
        [GrammarSymbol.Terminal($"\"\\\\u\" [dD] [0-7] {Hex}{{2}}")],
        [GrammarSymbol.Terminal($"\"\\\\u\" [dD] [89abAB] {Hex}{{2}} \"\\\\u\" [dD] [c-fC-F] {Hex}{{2}}")],
    ]);

    /// <summary>Gets the rule of any number.</summary>
    public GrammarSymbol Number => Rule("number", () =>
        [[GrammarSymbol.Terminal("\"-\"? ([0] | [1-9] [0-9]{0,15}) (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?")]]);

    /// <summary>Gets the rule of any integer.</summary>
    public GrammarSymbol Integer => Rule("integer", () => [[Text("0")], [GrammarSymbol.Terminal("\"-\"? [1-9] [0-9]{0,15}")]]);

    /// <summary>Gets the rule of the white space between values.</summary>
    public GrammarSymbol Space => Rule("space", () => [[], [Text(" ")], [GrammarSymbol.Terminal("\"\\n\"{1,2} [ \\t]{0,20}")]]);

    private GrammarSymbol Member => Rule("member", () => [[String, Space, Text(":"), Space, Any]]);

    private static GrammarSymbol Text(string text) => GrammarSymbol.Literal(text);

    private GrammarSymbol Rule(string hint, Func<IEnumerable<IReadOnlyList<GrammarSymbol>>> make)
    {
        string name = builder.FixedName(hint);
        if (_known.Add(name))
        {
            builder.Add(name, make());
        }

        return GrammarSymbol.Reference(name);
    }

    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
}
