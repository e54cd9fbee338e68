using System.Text;
using TinyMoe.World;

namespace TinyMoe.Corpus;

/// <summary>Represents a text as the model reads it, in pieces. Each special token and each answer to a question is a separate piece.</summary>
/// <param name="Kind">The kind of the text.</param>
/// <param name="Pieces">The pieces, which form the text in this order.</param>
/// <param name="Answers">The pieces that are answers with only one correct wording.</param>
internal sealed record Document(TextKind Kind, IReadOnlyList<string> Pieces, IReadOnlySet<int> Answers)
{
    public const string End = "<|endoftext|>";
    public const string TurnStart = "<|im_start|>";
    public const string TurnEnd = "<|im_end|>";

    /// <summary>Gets the special tokens, in the order of their ids.</summary>
    public static IReadOnlyList<string> SpecialTokens => [End, TurnStart, TurnEnd];

    public string Text => string.Concat(Pieces);

    public int Length => Pieces.Sum(piece => Encoding.UTF8.GetByteCount(piece));

    /// <summary>Creates a text without turns.</summary>
    public static Document Plain(TextKind kind, string text, IEnumerable<Exchange> exchanges)
    {
        var pieces = new List<string>();
        var answers = new HashSet<int>();
        string before = text.Length > 0 ? $"{text}\n" : string.Empty;
        foreach (Exchange pair in exchanges)
        {
            pieces.Add($"{before}Question: {pair.Question}\nAnswer:");
            answers.Add(pieces.Count);
            pieces.Add($" {pair.Answer}");
            before = "\n";
        }

        return new Document(kind, pieces.Count > 0 ? pieces : [text], answers);
    }

    /// <summary>Creates a conversation in ChatML.</summary>
    public static Document Chat(TextKind kind, string? system, IEnumerable<Exchange> exchanges)
    {
        var pieces = new List<string>();
        var answers = new HashSet<int>();
        if (system is not null)
        {
            pieces.AddRange([TurnStart, $"system\n{system}", TurnEnd, "\n"]);
        }

        foreach (Exchange pair in exchanges)
        {
            pieces.AddRange([TurnStart, $"user\n{pair.Question}", TurnEnd, "\n", TurnStart, "assistant\n"]);
            if (!pair.IsFree)
            {
                answers.Add(pieces.Count);
            }

            pieces.AddRange([pair.Answer, TurnEnd, "\n"]);
        }

        return new Document(kind, pieces, answers);
    }
}
