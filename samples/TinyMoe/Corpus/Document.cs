using System.Text;
using TinyMoe.World;

namespace TinyMoe.Corpus;

/// <summary>A text as the model reads it, in pieces: special tokens are pieces of their own.</summary>
internal sealed record Document(TextKind Kind, IReadOnlyList<string> Pieces)
{
    public const string End = "<|endoftext|>";
    public const string TurnStart = "<|im_start|>";
    public const string TurnEnd = "<|im_end|>";

    /// <summary>The special tokens, in the order of their ids.</summary>
    public static IReadOnlyList<string> SpecialTokens => [End, TurnStart, TurnEnd];

    public int Length => Pieces.Sum(piece => Encoding.UTF8.GetByteCount(piece));

    /// <summary>Text without turns.</summary>
    public static Document Plain(TextKind kind, string text, IEnumerable<Exchange> exchanges) =>
        new(kind, [string.Join('\n', [.. text.Length > 0 ? [text] : Array.Empty<string>(), .. exchanges.Select(pair => $"Question: {pair.Question}\nAnswer: {pair.Answer}")])]);

    /// <summary>A conversation in ChatML.</summary>
    public static Document Chat(TextKind kind, string? system, IEnumerable<Exchange> exchanges)
    {
        var pieces = new List<string>();
        if (system is not null)
        {
            Add("system", system);
        }

        foreach (Exchange pair in exchanges)
        {
            Add("user", pair.Question);
            Add("assistant", pair.Answer);
        }

        return new Document(kind, pieces);

        void Add(string role, string text)
        {
            pieces.AddRange([TurnStart, $"{role}\n{text}", TurnEnd, "\n"]);
        }
    }
}
