using System.Text;

namespace MoeOffload.Inference.Grammars;

/// <summary>Represents a part of an alternative of a rule.</summary>
/// <param name="Text">The part as GBNF.</param>
/// <param name="Rule">The name of the rule that the part refers to, or null.</param>
internal readonly record struct GrammarSymbol(string Text, string? Rule)
{
    /// <summary>Creates a part that matches a text.</summary>
    public static GrammarSymbol Literal(string text)
    {
        var result = new StringBuilder("\"");
        foreach (char character in text)
        {
            _ = character switch
            {
                '"' or '\\' => result.Append('\\').Append(character),
                '\n' => result.Append("\\n"),
                '\r' => result.Append("\\r"),
                '\t' => result.Append("\\t"),
                _ => result.Append(character),
            };
        }

        return new GrammarSymbol(result.Append('"').ToString(), null);
    }

    /// <summary>Creates a part that refers to a rule.</summary>
    public static GrammarSymbol Reference(string rule) => new(rule, rule);

    /// <summary>Creates a part of GBNF that refers to no rule.</summary>
    public static GrammarSymbol Terminal(string text) => new(text, null);
}
