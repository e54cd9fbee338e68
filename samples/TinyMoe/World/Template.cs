using System.Text;
using System.Text.RegularExpressions;

namespace TinyMoe.World;

/// <summary>Represents a sentence with slots, which is filled to write a sentence and matched to recognize one.</summary>
internal sealed partial class Template
{
    private readonly List<(string? Word, Slot? Slot)> _elements = [];
    private readonly List<Dictionary<string, List<string[]>>?> _phrases = [];
    private readonly string _text;

    public Template(string text, IReadOnlyList<string> morals)
    {
        _text = text;
        foreach (Match part in Parts().Matches(text))
        {
            Slot? slot = part.Value[0] == '{' ? Slot.Parse(part.Value[1..^1]) : null;
            _elements.Add(slot is null ? (part.Value, null) : (null, slot));
            _phrases.Add(slot?.Phrases(morals).Select(Words).GroupBy(words => words[0]).ToDictionary(group => group.Key, group => group.ToList()));
        }
    }

    /// <summary>Gets the slots, in order.</summary>
    public IEnumerable<Slot> Slots => _elements.Where(element => element.Slot is not null).Select(element => element.Slot!);

    /// <summary>Gets the first word, if it is always the same.</summary>
    public string? FirstWord => _elements[0].Word;

    /// <summary>Gets the words and punctuation marks of a text.</summary>
    public static string[] Words(string text) => [.. WordsAndMarks().Matches(text).Select(match => match.Value)];

    /// <summary>Writes the sentence.</summary>
    /// <param name="value">The function that returns the word of a slot.</param>
    public string Fill(Func<Slot, string> value)
    {
        var text = new StringBuilder();
        int at = 0;
        Slot? article = null;
        foreach (Match part in SlotText().Matches(_text))
        {
            Append(_text[at..part.Index]);
            at = part.Index + part.Length;
            Slot slot = Slot.Parse(part.Value[1..^1]);
            if (slot.IsArticle)
            {
                article = slot;
            }
            else
            {
                Append(slot.Write(value(slot)));
            }
        }

        Append(_text[at..]);
        return text.ToString();

        // An article depends on the following word, so it is held back until then.
        void Append(string piece)
        {
            if (article is not null && piece.Trim().Length > 0)
            {
                text.Append(article.Write(Lexicon.Article(piece.Trim()))).Append(' ');
                piece = piece.TrimStart();
                article = null;
            }

            text.Append(article is null ? piece : string.Empty);
        }
    }

    /// <summary>Determines whether the words form this sentence, with the same word in all places of a variable.</summary>
    public bool Matches(string[] words) => Matches(words, 0, 0, []);

    private bool Matches(string[] words, int at, int element, Dictionary<string, string> bound)
    {
        if (element == _elements.Count || at == words.Length)
        {
            return element == _elements.Count && at == words.Length;
        }

        var (word, slot) = _elements[element];
        if (slot is null)
        {
            return words[at] == word && Matches(words, at + 1, element + 1, bound);
        }

        if (!_phrases[element]!.TryGetValue(words[at], out List<string[]>? phrases))
        {
            return false;
        }

        foreach (string[] phrase in phrases.Where(phrase => words.AsSpan(at).StartsWith(phrase)))
        {
            string value = string.Join(' ', phrase).ToUpperInvariant();
            bool isRight = slot.IsArticle
                ? at + 1 < words.Length && string.Equals(Lexicon.Article(words[at + 1]), words[at], StringComparison.OrdinalIgnoreCase)
                : !bound.TryGetValue(slot.Variable, out string? before) || before == value;
            if (isRight && Matches(words, at + phrase.Length, element + 1, slot.IsArticle ? bound : new(bound) { [slot.Variable] = value }))
            {
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex(@"\{\w+\}|'s\b|[A-Za-z]+|\d+|[^\s\w]")]
    private static partial Regex Parts();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex SlotText();

    [GeneratedRegex(@"'s\b|[A-Za-z]+|\d+|[^\s\w]")]
    private static partial Regex WordsAndMarks();
}
