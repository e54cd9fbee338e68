using System.Text.Json;
using MoeOffload.Inference.Grammars;

namespace MoeOffload.Chat;

/// <summary>
/// Represents what can surround the content of an answer: reasoning before it, and the texts that mark it as content. llama.cpp names only a part
/// of that. The rest is found in what the template shows of an answer, and counts only if llama.cpp's parser reads it.
/// </summary>
internal sealed class AnswerForm
{
    private const string Thought = "thought";
    private const string Space = "[ \\n]{0,2}";
    private const string Probe = "[]";

    // In OpenAI's harmony format, reasoning is a message of its own, which the template does not show.
    private const string Channel = "<|channel|>";

    // Words that no template changes.
    private const string ThoughtMark = "qzthoughtzq";
    private const string ContentMark = "qzcontentzq";

    private readonly RenderedChat _chat;
    private readonly Func<ChatMessage, string> _show;
    private readonly string _beginning;
    private readonly string _start;
    private readonly string _end;
    private readonly string? _lead;
    private readonly bool _isOptional;
    private readonly bool _isMessage;

    /// <param name="chat">The chat to answer, rendered so that reasoning is separated from the content.</param>
    /// <param name="show">Renders the prompt of a chat that ends with an answer.</param>
    /// <param name="isToken">Determines whether the vocabulary has a token for a tag.</param>
    public AnswerForm(RenderedChat chat, Func<ChatMessage, string> show, Func<string, bool> isToken)
    {
        _chat = chat;
        _show = show;
        using JsonDocument document = JsonDocument.Parse(chat.Json);
        JsonElement root = document.RootElement;
        _beginning = root.GetProperty("generation_prompt").GetString()!;
        (_start, _end) = ReadTags(root);
        if (_start.Length == 0 && root.GetProperty("supports_thinking").GetBoolean())
        {
            (_start, _end) = FindTags();
        }

        if (_start.Length == 0)
        {
            return;
        }

        int opened = _beginning.LastIndexOf(_start, StringComparison.Ordinal);
        if (opened >= 0)
        {
            _lead = _beginning.IndexOf(_end, opened, StringComparison.Ordinal) < 0 ? Thought : null;
        }
        else if (isToken(FirstTag(_start)))
        {
            // A model that has no token for the tag was not trained to reason in it.
            _isMessage = _start.Contains(Channel, StringComparison.Ordinal)
                || (_beginning.Length > 0 && Shown(ChatMessage.Assistant(ContentMark) with { ReasoningContent = ThoughtMark }) is { } shown
                    && Between(shown, ThoughtMark) is { } between && between.StartsWith(_end + _beginning, StringComparison.Ordinal));
            _lead = $"{GrammarEdit.Literal(_start)} {Thought}";
            _isOptional = true;
        }

        Rules = _lead is null ? string.Empty : GrammarEdit.Through(Thought, _end);
    }

    /// <summary>Gets the rules of the reasoning.</summary>
    public string Rules { get; } = string.Empty;

    private string EndOfReasoning => _lead is not null && !_isOptional ? _end : string.Empty;

    /// <summary>Returns the body of a rule that begins with any reasoning.</summary>
    /// <param name="body">What follows the reasoning.</param>
    /// <param name="hasSpace">Whether space can be between them.</param>
    public string AfterReasoning(string body, bool hasSpace = true)
    {
        string next = _isMessage ? $" {GrammarEdit.Literal(_beginning)}" : hasSpace ? $" {Space}" : string.Empty;
        return _lead is null ? body : _isOptional ? $"({_lead}{next})? {body}" : $"{_lead}{next} {body}";
    }

    /// <summary>Returns the body of a rule that is the content of an answer, after any reasoning, or null if no content can be told from other text.</summary>
    /// <param name="body">The content.</param>
    public string? AroundContent(string body) => FindContent() switch
    {
        null => null,
        ("", "") => AfterReasoning(body),
        ("", var after) => AfterReasoning($"{body} {GrammarEdit.Literal(after)}"),
        (var before, "") => AfterReasoning($"{GrammarEdit.Literal(before)} {body}", hasSpace: false),
        var (before, after) => AfterReasoning($"{GrammarEdit.Literal(before)} {body} {GrammarEdit.Literal(after)}", hasSpace: false),
    };

    private (string Before, string After)? FindContent()
    {
        // What the template shows is what the model was trained to write.
        if (Shown(ChatMessage.Assistant(ContentMark) with { ReasoningContent = ThoughtMark }) is { } thinking
            && Between(thinking, ThoughtMark) is { } between && _end.Length > 0 && between.IndexOf(_end, StringComparison.Ordinal) is >= 0 and var end)
        {
            string rest = between[(end + _end.Length)..];
            rest = _beginning.Length > 0 && rest.StartsWith(_beginning, StringComparison.Ordinal) ? rest[_beginning.Length..] : rest;
            if (!string.IsNullOrWhiteSpace(rest) && FindEnd(rest, TagAfter(thinking)) is { } last)
            {
                return (rest, last);
            }
        }

        if (IsContent(string.Empty, string.Empty))
        {
            return (string.Empty, string.Empty);
        }

        if (Shown(ChatMessage.Assistant(ContentMark)) is not { } shown)
        {
            return null;
        }

        string tag = TagAfter(shown);
        string before = shown[..shown.IndexOf(ContentMark, StringComparison.Ordinal)];
        if (Between(shown, _beginning) is { Length: > 0 } header && FindEnd(header, tag) is { } after)
        {
            return (header, after);
        }

        for (int start = before.LastIndexOf('<'); start >= 0; start = start == 0 ? -1 : before.LastIndexOf('<', start - 1))
        {
            if (FindEnd(before[start..], tag) is { } closing)
            {
                return (before[start..], closing);
            }
        }

        return null;
    }

    // The text after the content is at most one tag.
    private string? FindEnd(string before, string tag) =>
        IsContent(before, string.Empty) ? string.Empty : IsContent(before, tag) ? tag : null;

    private bool IsContent(string before, string after)
    {
        try
        {
            return _chat.ParseAnswer($"{EndOfReasoning}{before}{Probe}{after}") is { ToolCalls.Count: 0 } answer && answer.Content.Trim() == Probe;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    // Some formats have the reasoning in a message of its own, whose tags llama.cpp does not name.
    private (string Start, string End) FindTags()
    {
        if (_beginning.Length > 0
            && Shown(ChatMessage.Assistant(ContentMark) with { ReasoningContent = ThoughtMark }) is { } shown
            && shown.IndexOf(ThoughtMark, StringComparison.Ordinal) is > 0 and var thought
            && shown.LastIndexOf(_beginning, thought, StringComparison.Ordinal) is >= 0 and var begin
            && Between(shown, ThoughtMark) is { } between
            && between.IndexOf(_beginning, StringComparison.Ordinal) is > 0 and var end)
        {
            string start = shown[(begin + _beginning.Length)..thought];
            string header = between[(end + _beginning.Length)..];
            try
            {
                ChatMessage answer = _chat.ParseAnswer($"{start}{ThoughtMark}{between[..end]}{_beginning}{header}{Probe}");
                return answer.ReasoningContent == ThoughtMark && answer.Content == Probe ? (start, between[..end]) : (string.Empty, string.Empty);
            }
            catch (FormatException)
            {
                // The parser does not read what the template shows.
            }
        }

        return (string.Empty, string.Empty);
    }

    private string? Shown(ChatMessage answer)
    {
        try
        {
            return _show(answer) is { } shown && shown.Contains(ContentMark, StringComparison.Ordinal) ? shown : null;
        }
        catch (ChatTemplateException)
        {
            return null;
        }
    }

    // The text from the last occurrence of a mark to the content, or null.
    private static string? Between(string shown, string mark)
    {
        int content = shown.IndexOf(ContentMark, StringComparison.Ordinal);
        int at = mark.Length == 0 ? -1 : shown[..content].LastIndexOf(mark, StringComparison.Ordinal);
        return at < 0 ? null : shown[(at + mark.Length)..content];
    }

    private static string TagAfter(string shown)
    {
        string after = shown[(shown.IndexOf(ContentMark, StringComparison.Ordinal) + ContentMark.Length)..];
        return after[..(after.IndexOf('>', StringComparison.Ordinal) + 1)];
    }

    private static string FirstTag(string start)
    {
        int opening = start.IndexOf('<', StringComparison.Ordinal);
        int closing = opening < 0 ? -1 : start.IndexOf('>', opening);
        return closing < 0 ? start : start[opening..(closing + 1)];
    }

    private static (string Start, string End) ReadTags(JsonElement root)
    {
        string[] ends = [.. root.GetProperty("thinking_end_tags").EnumerateArray().Select(end => end.GetString()!.Trim()).Where(end => end.Length > 0).Distinct()];

        // Some formats also let a call end the reasoning.
        string end = ends.FirstOrDefault(tag => tag.Contains('/', StringComparison.Ordinal)) ?? ends.FirstOrDefault() ?? string.Empty;
        string start = end.Length == 0 ? string.Empty : root.GetProperty("thinking_start_tag").GetString()!.Trim();
        return (start, end);
    }
}
