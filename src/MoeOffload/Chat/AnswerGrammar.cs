using System.Text.Json;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Chat;

/// <summary>
/// Creates the grammars of answers for which llama.cpp's grammars are too wide: its grammar for a required call allows any text before it, and
/// it has none for tools together with a response schema.
/// </summary>
internal static class AnswerGrammar
{
    private const string Calls = "calls-";
    private const string Schema = "schema-";
    private const string Space = "[ \\n]{0,2}";

    /// <summary>Creates the grammar of an answer that is a call, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="required">The chat, rendered with a required call.</param>
    /// <param name="optional">The same chat, rendered with an optional call, whose grammar consists of the calls only.</param>
    /// <param name="schema">The grammar of the schema, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="isToken">Determines whether the vocabulary has a token for a tag.</param>
    /// <returns>The grammar, or <see langword="null"/> if the calls cannot be told from the rest of llama.cpp's grammar.</returns>
    public static string? Make(RenderedChat required, RenderedChat optional, string? schema, Func<string, bool> isToken)
    {
        if (required.Grammar is not { } grammar || Outermost(grammar, optional.Grammar) is not { } calls)
        {
            return null;
        }

        (string lead, string rules) = Reasoning(required.Json, isToken);
        string answer = schema is null ? $"{Calls}{calls}" : $"({Calls}{calls} | {Schema}root)";
        string root = $"root ::= {lead}{Space} {answer} {Space}\n";
        return string.Concat(root, rules, GrammarEdit.Prefix(grammar, Calls), "\n", schema is null ? string.Empty : GrammarEdit.Prefix(schema, Schema));
    }

    /// <summary>Creates the grammar of an answer that is a call as JSON, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="chat">The chat.</param>
    /// <param name="calls">The grammar of a call.</param>
    /// <param name="schema">The grammar of the schema, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="isToken">Determines whether the vocabulary has a token for a tag.</param>
    public static string MakePlain(RenderedChat chat, string calls, string? schema, Func<string, bool> isToken)
    {
        (string lead, string rules) = Reasoning(chat.Json, isToken);
        string answer = schema is null ? $"{Calls}root" : $"({Calls}root | {Schema}root)";
        return string.Concat(
            $"root ::= {lead}{Space} {answer} {Space}\n", rules, GrammarEdit.Prefix(calls, Calls), "\n", schema is null ? string.Empty : GrammarEdit.Prefix(schema, Schema));
    }

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

    private static (string Lead, string Rules) Reasoning(byte[] json, Func<string, bool> isToken)
    {
        const string Thought = "thought";
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        string start = root.GetProperty("thinking_start_tag").GetString()!.Trim();
        string[] ends = [.. root.GetProperty("thinking_end_tags").EnumerateArray().Select(end => end.GetString()!.Trim()).Where(end => end.Length > 0).Distinct()];
        if (start.Length == 0 || ends.Length == 0)
        {
            return (string.Empty, string.Empty);
        }

        // Some formats also let a call end the reasoning.
        string end = ends.FirstOrDefault(tag => tag.Contains('/', StringComparison.Ordinal)) ?? ends[0];
        string prompt = root.GetProperty("generation_prompt").GetString()!;
        int opened = prompt.LastIndexOf(start, StringComparison.Ordinal);
        if (opened >= 0)
        {
            return prompt.IndexOf(end, opened, StringComparison.Ordinal) >= 0
                ? (string.Empty, string.Empty)
                : ($"{Thought} ", GrammarEdit.Through(Thought, end));
        }

        // A model that has no token for the tag was not trained to reason in it.
        return isToken(start)
            ? ($"({GrammarEdit.Literal(start)} {Thought})? ", GrammarEdit.Through(Thought, end))
            : (string.Empty, string.Empty);
    }
}
