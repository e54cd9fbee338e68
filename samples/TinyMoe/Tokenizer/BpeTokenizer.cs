using TinyMoe.Corpus;

namespace TinyMoe.Tokenizer;

/// <summary>Represents the model's tokenizer: the 256 bytes, the tokens that merges create from them, and the special tokens.</summary>
internal sealed class BpeTokenizer
{
    /// <summary>The number of tokens.</summary>
    public const int Size = 3072;

    /// <summary>The name of the file that contains the merges, one per line, from which the tokenizer is created.</summary>
    public const string FileName = "merges.txt";

    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<(string, string), int> _ranks = [];
    private readonly Dictionary<string, int[]> _known = [];

    private BpeTokenizer(IReadOnlyList<(string Left, string Right)> merges)
    {
        Merges = merges;
        var tokens = Enumerable.Range(0, 256).Select(value => ByteLevel.Letter((byte)value).ToString()).ToList();
        for (int rank = 0; rank < merges.Count; rank++)
        {
            _ranks[merges[rank]] = rank;
        }

        // Two pairs can merge to the same piece, which is a single token.
        tokens.AddRange(merges.Select(merge => merge.Left + merge.Right).Distinct());
        FirstSpecial = tokens.Count;
        tokens.AddRange(Document.SpecialTokens);
        Tokens = tokens;
        for (int id = 0; id < tokens.Count; id++)
        {
            _ids[tokens[id]] = id;
        }
    }

    /// <summary>Gets the tokens by id, in letters.</summary>
    public IReadOnlyList<string> Tokens { get; }

    public IReadOnlyList<(string Left, string Right)> Merges { get; }

    /// <summary>Gets the id of the first special token. The others follow.</summary>
    public int FirstSpecial { get; }

    public int End => Id(Document.End);

    public static BpeTokenizer Train(IEnumerable<Document> documents)
    {
        var words = new Dictionary<string, long>();
        foreach (string piece in documents.SelectMany(document => document.Pieces).Where(piece => !Document.SpecialTokens.Contains(piece)))
        {
            foreach (string word in ByteLevel.Words(piece))
            {
                words[word] = words.GetValueOrDefault(word) + 1;
            }
        }

        return new BpeTokenizer(BpeTrainer.Train(words, Size - 256 - Document.SpecialTokens.Count));
    }

    public static BpeTokenizer Read(string path) => FromMerges(File.ReadLines(path));

    /// <summary>Gets the merges in the form of a GGUF file.</summary>
    public IEnumerable<string> MergeLines => Merges.Select(merge => $"{merge.Left} {merge.Right}");

    /// <summary>Creates a tokenizer from merges in the form of a GGUF file.</summary>
    public static BpeTokenizer FromMerges(IEnumerable<string> merges) =>
        new([.. merges.Select(merge => merge.Split(' ')).Select(pair => (pair[0], pair[1]))]);

    public void Write(string path) => File.WriteAllLines(path, MergeLines);

    public int Id(string token) => _ids[token];

    public int[] Encode(Document document) => [.. EncodeMarked(document).Select(token => token.Id)];

    /// <summary>Gets the tokens, each with a value that indicates whether it is part of an answer.</summary>
    public IEnumerable<(int Id, bool IsAnswer)> EncodeMarked(Document document) =>
        document.Pieces.SelectMany((piece, i) => Encode(piece).Select(id => (id, document.Answers.Contains(i))));

    private IEnumerable<int> Encode(string piece) =>
        Document.SpecialTokens.Contains(piece) ? [_ids[piece]] : ByteLevel.Words(piece).SelectMany(EncodeWord);

    private int[] EncodeWord(string word)
    {
        if (!_known.TryGetValue(word, out int[]? ids))
        {
            List<string> pieces = [.. word.Select(letter => letter.ToString())];
            while (pieces.Zip(pieces.Skip(1)).Where(_ranks.ContainsKey).OrderBy(pair => _ranks[pair]).ToArray() is [var best, ..])
            {
                BpeTrainer.Merge(pieces, best);
            }

            _known[word] = ids = [.. pieces.Select(Id)];
        }

        return ids;
    }
}
