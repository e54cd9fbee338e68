using System.Globalization;
using MoeOffload.Gguf;
using Bytes = TinyMoe.Tokenizer.ByteLevel;

namespace MoeOffload.Fixtures;

/// <summary>A small vocabulary: every byte, pieces of English words, and special tokens.</summary>
internal sealed class TinyVocabulary
{
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int Unused = 5;
    private const int Byte = 6;

    private readonly List<string> _tokens = [];
    private readonly List<float> _scores = [];
    private readonly List<int> _types = [];
    private readonly List<string> _merges = [];
    private readonly List<(string Key, uint Id)> _special = [];
    private readonly HashSet<string> _pieces = new(StringComparer.Ordinal);
    private readonly string _model;
    private readonly string? _pre;
    private readonly int _size;
    private int _byteLetters;

    private TinyVocabulary(string model, string? pre, int size)
    {
        _model = model;
        _pre = pre;
        _size = size;
    }

    public int Count => _tokens.Count;

    public required string ChatTemplate { get; init; }

    /// <summary>
    /// A factor for a token's row of the output matrix. A row of zeros gives the logit 0, far below the largest: special tokens
    /// may be sampled, but are not chosen greedily. Single bytes, of which most are parts of characters, come rarely.
    /// </summary>
    public float Likelihood(int token) => _types[token] switch
    {
        Control or Unused or Unknown => 0,
        Byte => 0.7f,
        _ => token < _byteLetters ? 0.7f : 1,
    };

    /// <summary>The tokens that generated text consists of: pieces of words.</summary>
    public IEnumerable<int> Words => Enumerable.Range(0, Count).Where(token => Likelihood(token) == 1);

    /// <summary>Makes a byte-level BPE vocabulary, as GPT-2's and its many successors'.</summary>
    /// <param name="pre">The name of the rules that split a text into words.</param>
    /// <param name="size">Tokens in all.</param>
    /// <param name="chatTemplate">A Jinja template.</param>
    /// <param name="bos">The token that begins a text.</param>
    /// <param name="eos">The token that ends one.</param>
    /// <param name="others">Further special tokens.</param>
    public static TinyVocabulary ByteLevel(string pre, int size, string chatTemplate, string bos, string eos, params ReadOnlySpan<string> others)
    {
        var vocabulary = new TinyVocabulary("gpt2", pre, size) { ChatTemplate = chatTemplate };
        for (var value = 0; value < 256; value++)
        {
            vocabulary.Add(Bytes.Letter((byte)value).ToString(), Normal);
        }

        vocabulary._byteLetters = vocabulary.Count;

        foreach (var (left, right) in TrainedMerges.Train(Bytes.Letter((byte)' ').ToString(), vocabulary.Room(others.Length + 2)))
        {
            vocabulary.AddPiece(left + right, score: 0);
            vocabulary._merges.Add($"{left} {right}");
        }

        vocabulary.AddSpecial(bos, eos, others);
        return vocabulary;
    }

    /// <summary>Makes a SentencePiece vocabulary, as Llama's: pieces with scores, and bytes for what no piece covers.</summary>
    /// <param name="size">Tokens in all.</param>
    /// <param name="chatTemplate">A Jinja template.</param>
    /// <param name="others">Special tokens besides <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c> and <c>&lt;/s&gt;</c>.</param>
    public static TinyVocabulary SentencePiece(int size, string chatTemplate, params ReadOnlySpan<string> others)
    {
        var vocabulary = new TinyVocabulary("llama", pre: null, size) { ChatTemplate = chatTemplate };
        vocabulary.Add("<unk>", Unknown);
        vocabulary.AddEnds("<s>", "</s>");
        for (var value = 0; value < 256; value++)
        {
            vocabulary.Add(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"), Byte);
        }

        const string Mark = "▁";
        var letters = Mark + string.Concat(Enumerable.Range('!', '~' - '!' + 1).Select(letter => (char)letter));
        foreach (var (left, right) in TrainedMerges.Train(Mark, vocabulary.Room(others.Length + letters.Length)))
        {
            vocabulary.AddPiece(left + right, score: -vocabulary.Count);
        }

        foreach (var letter in letters)
        {
            vocabulary.Add(letter.ToString(), Normal, score: -size);
        }

        vocabulary.AddAll(others);
        return vocabulary;
    }

    public void WriteTo(GgufWriter writer)
    {
        writer.Set("tokenizer.ggml.model", _model);
        if (_pre is not null)
        {
            writer.Set("tokenizer.ggml.pre", _pre);
            writer.SetArray("tokenizer.ggml.merges", _merges);
        }
        else
        {
            writer.SetArray<float>("tokenizer.ggml.scores", _scores.ToArray());
        }

        writer.SetArray("tokenizer.ggml.tokens", _tokens);
        writer.SetArray<int>("tokenizer.ggml.token_type", _types.ToArray());
        foreach (var (key, id) in _special)
        {
            writer.Set($"tokenizer.ggml.{key}_token_id", id);
        }

        writer.Set("tokenizer.ggml.add_bos_token", _pre is null);
        writer.Set("tokenizer.chat_template", ChatTemplate);
    }

    private int Room(int reserved) => _size - Count - reserved;

    // Two pairs may merge to the same piece, which is one token.
    private void AddPiece(string piece, float score)
    {
        if (_pieces.Add(piece))
        {
            Add(piece, Normal, score);
        }
    }

    private void AddSpecial(string bos, string eos, ReadOnlySpan<string> others)
    {
        AddEnds(bos, eos);
        AddAll(others);
    }

    private void AddEnds(string bos, string eos)
    {
        _special.Add(("bos", (uint)Count));
        Add(bos, Control);
        _special.Add(("eos", (uint)Count));
        Add(eos, Control);
    }

    private void AddAll(ReadOnlySpan<string> others)
    {
        foreach (var token in others)
        {
            Add(token, Control);
        }

        while (Count < _size)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"<unused_{Count}>"), Unused);
        }
    }

    private void Add(string token, int type, float score = 0)
    {
        _tokens.Add(token);
        _types.Add(type);
        _scores.Add(score);
    }
}
