using MoeOffload.Inference.Grammars;

namespace MoeOffload.Chat;

/// <summary>
/// Creates the grammars of answers for which llama.cpp's grammars are too wide: its grammar for a required call allows any text before it, and
/// it has none for tools together with a response schema.
/// </summary>
internal static class AnswerGrammar
{
    private const string Calls = "calls-";

    /// <summary>Creates the grammar of an answer that is a call, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="required">The chat, rendered with a required call.</param>
    /// <param name="optional">The same chat, rendered with an optional call, whose grammar consists of the calls only.</param>
    /// <param name="schema">The content of the schema and its rules, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="form">The form of answers.</param>
    /// <returns>The grammar, or <see langword="null"/> if the calls cannot be told from the rest of llama.cpp's grammar.</returns>
    public static string? Make(RenderedChat required, RenderedChat optional, (string Content, string Rules)? schema, AnswerForm form) =>
        required.Grammar is { } grammar && (Outermost(grammar, optional.Grammar) ?? LastOf(grammar)) is { } calls
            ? Write($"{Calls}{calls}", grammar, schema, form)
            : null;

    /// <summary>Creates the grammar of an answer that is a call as JSON, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="calls">The grammar of a call.</param>
    /// <param name="schema">The content of the schema and its rules, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="form">The form of answers.</param>
    public static string MakePlain(string calls, (string Content, string Rules)? schema, AnswerForm form) => Write($"{Calls}root", calls, schema, form);

    private static string Write(string call, string calls, (string Content, string Rules)? schema, AnswerForm form) => string.Concat(
        $"root ::= {form.AfterReasoning(call)}{(schema is { } it ? $" | {it.Content}" : string.Empty)}\n", form.Rules, GrammarEdit.Prefix(calls, Calls), "\n", schema?.Rules);

    // The rules of calls are the alternatives of the optional grammar. One of them can be a part of another one.
    private static string? Outermost(string required, string? optional)
    {
        if (optional is null)
        {
            return null;
        }

        string[] names = [.. GrammarEdit.References(optional, "root").Where(name => required.Contains($"{name} ::=", StringComparison.Ordinal))];
        string[] inner = [.. names.SelectMany(name => Reachable(required, name).Where(other => other != name))];
        return names.FirstOrDefault(name => !inner.Contains(name));
    }

    // A format without a marker has no optional grammar. Its calls are the only rule of the root besides those of the text before them.
    private static string? LastOf(string required)
    {
        string[] names = [.. GrammarEdit.References(required, "root").Where(name => name != "space" && !name.StartsWith("until", StringComparison.Ordinal)).Distinct()];
        return names.Length == 1 ? names[0] : null;
    }

    private static HashSet<string> Reachable(string grammar, string rule)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([rule]);
        while (open.TryPop(out string? next))
        {
            if (reached.Add(next))
            {
                foreach (string name in GrammarEdit.References(grammar, next))
                {
                    open.Push(name);
                }
            }
        }

        return reached;
    }
}
