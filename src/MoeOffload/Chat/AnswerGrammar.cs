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
    private const string Channel = "<|channel|>";

    /// <summary>Creates the grammar of an answer that is a call, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="required">The chat, rendered with a required call.</param>
    /// <param name="optional">The same chat, rendered with an optional call, whose grammar consists of the calls only.</param>
    /// <param name="schema">The grammar of the schema, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="header">The texts that the template puts around the content of an answer.</param>
    /// <param name="isToken">Determines whether the vocabulary has a token for a tag.</param>
    /// <returns>The grammar, or <see langword="null"/> if the calls cannot be told from the rest of llama.cpp's grammar.</returns>
    public static string? Make(RenderedChat required, RenderedChat optional, string? schema, (string Before, string After) header, Func<string, bool> isToken)
    {
        if (required.Grammar is not { } grammar || (Outermost(grammar, optional.Grammar) ?? LastOf(grammar)) is not { } calls)
        {
            return null;
        }

        (string lead, string rules) = Reasoning(required.Json, isToken);
        string root = $"root ::= {lead}{Answer($"{Calls}{calls}", schema, header)}\n";
        return string.Concat(root, rules, GrammarEdit.Prefix(grammar, Calls), "\n", schema is null ? string.Empty : GrammarEdit.Prefix(schema, Schema));
    }

    /// <summary>Creates the grammar of an answer that is a call as JSON, or also JSON of a schema, after any reasoning.</summary>
    /// <param name="chat">The chat.</param>
    /// <param name="calls">The grammar of a call.</param>
    /// <param name="schema">The grammar of the schema, or <see langword="null"/> if the answer must be a call.</param>
    /// <param name="header">The texts that the template puts around the content of an answer.</param>
    /// <param name="isToken">Determines whether the vocabulary has a token for a tag.</param>
    public static string MakePlain(RenderedChat chat, string calls, string? schema, (string Before, string After) header, Func<string, bool> isToken)
    {
        (string lead, string rules) = Reasoning(chat.Json, isToken);
        return string.Concat(
            $"root ::= {lead}{Answer($"{Calls}root", schema, header)}\n", rules, GrammarEdit.Prefix(calls, Calls), "\n", schema is null ? string.Empty : GrammarEdit.Prefix(schema, Schema));
    }

    /// <summary>Gets the tag that ends the reasoning that the prompt has begun, or an empty string if it has not.</summary>
    public static string EndOfReasoning(RenderedChat chat)
    {
        (string start, string end, string prompt) = ReadTags(chat.Json);
        return start.Length > 0 && prompt.LastIndexOf(start, StringComparison.Ordinal) is >= 0 and var opened && prompt.IndexOf(end, opened, StringComparison.Ordinal) < 0
            ? end
            : string.Empty;
    }

    private static string Answer(string calls, string? schema, (string Before, string After) header) =>
        schema is null ? calls : $"({calls} | {GrammarEdit.Literal(header.Before)} {Schema}root {GrammarEdit.Literal(header.After)})";

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

    private static (string Start, string End, string Prompt) ReadTags(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        string[] ends = [.. root.GetProperty("thinking_end_tags").EnumerateArray().Select(end => end.GetString()!.Trim()).Where(end => end.Length > 0).Distinct()];

        // Some formats also let a call end the reasoning.
        string end = ends.FirstOrDefault(tag => tag.Contains('/', StringComparison.Ordinal)) ?? ends.FirstOrDefault() ?? string.Empty;
        string start = end.Length == 0 ? string.Empty : root.GetProperty("thinking_start_tag").GetString()!.Trim();
        return (start, end, root.GetProperty("generation_prompt").GetString()!);
    }

    private static (string Lead, string Rules) Reasoning(byte[] json, Func<string, bool> isToken)
    {
        const string Thought = "thought";
        const string Space = "[ \\n]{0,2}";
        (string start, string end, string prompt) = ReadTags(json);
        if (start.Length == 0)
        {
            return (string.Empty, string.Empty);
        }

        int opened = prompt.LastIndexOf(start, StringComparison.Ordinal);
        if (opened >= 0)
        {
            return prompt.IndexOf(end, opened, StringComparison.Ordinal) >= 0
                ? (string.Empty, string.Empty)
                : ($"{Thought} {Space} ", GrammarEdit.Through(Thought, end));
        }

        // A model that has no token for the tag was not trained to reason in it.
        int firstEnd = start.IndexOf("><", StringComparison.Ordinal);
        if (!isToken(firstEnd < 0 ? start : start[..(firstEnd + 1)]))
        {
            return (string.Empty, string.Empty);
        }

        // In OpenAI's harmony format, reasoning is a message of its own.
        string next = start.Contains(Channel, StringComparison.Ordinal) ? GrammarEdit.Literal(prompt) : Space;
        return ($"({GrammarEdit.Literal(start)} {Thought} {next})? ", GrammarEdit.Through(Thought, end));
    }
}
