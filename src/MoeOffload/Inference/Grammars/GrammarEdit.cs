using System.Text;

namespace MoeOffload.Inference.Grammars;

/// <summary>Combines grammars that llama.cpp has created, and whose rules can have the same names.</summary>
internal static class GrammarEdit
{
    /// <summary>Puts a prefix before the name of each rule.</summary>
    public static string Prefix(string grammar, string prefix)
    {
        var result = new StringBuilder(grammar.Length * 2);
        int at = 0;
        while (at < grammar.Length)
        {
            int end = EndOfPart(grammar, at, out bool isName);
            result.Append(isName ? prefix : string.Empty).Append(grammar, at, end - at);
            at = end;
        }

        return result.ToString();
    }

    /// <summary>Gets the names of the rules that a rule refers to, in the order of the text.</summary>
    public static IReadOnlyList<string> References(string grammar, string rule)
    {
        string? body = grammar.Split('\n').FirstOrDefault(line => line.StartsWith($"{rule} ::=", StringComparison.Ordinal));
        var names = new List<string>();
        for (int at = $"{rule} ::=".Length; body is not null && at < body.Length;)
        {
            int end = EndOfPart(body, at, out bool isName);
            if (isName)
            {
                names.Add(body[at..end]);
            }

            at = end;
        }

        return names;
    }

    /// <summary>Creates rules for any text up to and including an end, of which the text before has no occurrence.</summary>
    /// <param name="name">The name of the first rule.</param>
    /// <param name="end">The end, which is not empty.</param>
    public static string Through(string name, string end)
    {
        char[] alphabet = [.. end.Distinct()];
        var rules = new StringBuilder();
        for (int state = 0; state < end.Length; state++)
        {
            rules.Append(state == 0 ? name : $"{name}-{state}").Append(" ::= ");
            foreach (char next in alphabet)
            {
                int reached = Next(end, state, next);
                rules.Append('[').Append(Escape(next)).Append(']')
                    .Append(reached == end.Length ? string.Empty : $" {(reached == 0 ? name : $"{name}-{reached}")}").Append(" | ");
            }

            rules.Append("[^").AppendJoin(string.Empty, alphabet.Select(Escape)).Append("] ").Append(name).Append('\n');
        }

        return rules.ToString();
    }

    /// <summary>Writes a text as a literal.</summary>
    public static string Literal(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (char character in text)
        {
            literal.Append(character is '"' ? "\\\"" : character is ']' or '[' or '-' or '^' ? character.ToString() : Escape(character));
        }

        return literal.Append('"').ToString();
    }

    // The length of the longest beginning of the end that a text has at its end.
    private static int Next(string end, int state, char next)
    {
        string text = end[..state] + next;
        for (int length = text.Length; length > 0; length--)
        {
            if (end.StartsWith(text[^length..], StringComparison.Ordinal))
            {
                return length;
            }
        }

        return 0;
    }

    private static string Escape(char character) => character switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\\' => "\\\\",
        ']' or '[' => $"\\{character}",
        '-' => "\\x2D",
        '^' => "\\x5E",
        _ => character.ToString(),
    };

    // A part is a literal, a class, a token, a repetition, a comment, a name, or one other character.
    private static int EndOfPart(string grammar, int at, out bool isName)
    {
        isName = char.IsAsciiLetterOrDigit(grammar[at]) || grammar[at] == '-';
        int end = at + 1;
        if (isName)
        {
            while (end < grammar.Length && (char.IsAsciiLetterOrDigit(grammar[end]) || grammar[end] == '-'))
            {
                end++;
            }

            return end;
        }

        char closing = grammar[at] switch { '"' => '"', '[' => ']', '{' => '}', '<' => '>', '#' => '\n', _ => '\0' };
        if (closing == '\0')
        {
            return end;
        }

        while (end < grammar.Length && grammar[end] != closing)
        {
            end += grammar[end] == '\\' && closing is ('"' or ']') ? 2 : 1;
        }

        return Math.Min(end + 1, grammar.Length);
    }
}
