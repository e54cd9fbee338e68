using System.Globalization;
using MoeOffload.Gguf;

namespace MoeOffload.Measurement.Synthesis;

/// <summary>
/// Represents the texts of a vocabulary: every byte, common English words, and made-up words that fill the rest of the layout. Each text
/// consists of another text and one more letter, so that a tokenizer can merge it from its beginning. Any text can be tokenized, and the text
/// of generated tokens is tokenized to the same tokens again.
/// </summary>
internal sealed class SyntheticVocabulary
{
    // These are the values of llama.cpp's enum llama_token_type.
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int Unused = 5;
    private const int Byte = 6;

    private readonly VocabularyLayout _layout;
    private readonly List<string> _tokens;
    private readonly List<int> _types;
    private readonly List<string> _merges = [];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private bool IsSentencePiece => _layout.Model == "llama";

    private string Space => IsSentencePiece ? "▁" : ByteLetter(' ').ToString();

    public SyntheticVocabulary(VocabularyLayout layout)
    {
        _layout = layout;
        _tokens = new List<string>(layout.Size);
        _types = new List<int>(layout.Size);
        if (IsSentencePiece)
        {
            AddNamed(0);
            AddNamed(1);
            AddNamed(2);
            AddByteTokens();
        }
        else
        {
            AddByteLetters();
        }

        string[] capitals = [.. CommonWords.All.Select(word => char.ToUpperInvariant(word[0]) + word[1..])];
        foreach (string word in CommonWords.All.Concat(capitals))
        {
            AddWord(Space, word);
        }

        // A word at the beginning of a text has no space before it, unless SentencePiece adds one. These tokens are merged last, so that they do
        // not match in the middle of a word.
        List<string> begin = IsSentencePiece ? [] : Beginnings(capitals);
        AddMadeUpWords(layout.TextCount - begin.Count);
        begin.ForEach(text => AddText(text));
        while (_tokens.Count < layout.Size)
        {
            AddNamed(_tokens.Count);
        }
    }

    /// <summary>Returns whether a token is special or unused.</summary>
    public bool IsSpecial(long token) => _types[(int)token] is not (Normal or Byte);

    /// <summary>Writes the metadata of the tokenizer and the chat template.</summary>
    public void WriteTo(GgufWriter writer)
    {
        writer.Set("tokenizer.ggml.model", _layout.Model);
        writer.Set("tokenizer.ggml.pre", _layout.Pre);
        writer.SetArray("tokenizer.ggml.tokens", _tokens);
        writer.SetArray<int>("tokenizer.ggml.token_type", _types.ToArray());
        if (IsSentencePiece)
        {
            // Pieces with a higher score are merged earlier.
            writer.SetArray<float>("tokenizer.ggml.scores", [.. _tokens.Select((_, id) => -(float)id)]);
            writer.Set("tokenizer.ggml.unknown_token_id", 0u);
        }
        else
        {
            writer.SetArray("tokenizer.ggml.merges", _merges);
        }

        writer.Set("tokenizer.ggml.bos_token_id", (uint)_layout.BeginId);
        writer.Set("tokenizer.ggml.eos_token_id", (uint)_layout.EndId);
        writer.Set("tokenizer.ggml.padding_token_id", (uint)_layout.PaddingId);
        writer.Set("tokenizer.ggml.add_bos_token", _layout.AddsBegin);
        writer.Set("tokenizer.chat_template", _layout.ChatTemplate);
    }

    private void AddByteTokens()
    {
        for (int value = 0; value < 256; value++)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"), Byte);
        }

        Add(Space, Normal);
        for (char letter = '!'; letter <= '~'; letter++)
        {
            Add(letter.ToString(), Normal);
        }
    }

    // This is the order of GPT-2's vocabulary: bytes that represent themselves come first.
    private void AddByteLetters()
    {
        foreach (int value in Enumerable.Range(0, 256).OrderBy(value => StandsForItself(value) ? 0 : 1))
        {
            Add(ByteLetter(value).ToString(), Normal);
        }
    }

    private void AddWord(string start, string word)
    {
        for (int length = 1; length <= word.Length; length++)
        {
            AddText(start + word[..length]);
        }
    }

    private static List<string> Beginnings(IEnumerable<string> words) =>
        [.. words.SelectMany(word => Enumerable.Range(2, Math.Max(0, word.Length - 1)).Select(length => word[..length])).Distinct(StringComparer.Ordinal)];

    // Made-up words alternate consonants and vowels. Short words come first.
    private void AddMadeUpWords(int count)
    {
        const string Vowels = "aeiou";
        const string Consonants = "bcdfghjklmnpqrstvwxyz";
        var open = new Queue<string>([Space]);
        while (_tokens.Count < count)
        {
            string stem = open.Dequeue();
            string letters = stem == Space ? Vowels + Consonants : Vowels.Contains(stem[^1], StringComparison.Ordinal) ? Consonants : Vowels;
            foreach (char letter in letters)
            {
                if (_tokens.Count < count)
                {
                    AddText(stem + letter);
                }

                open.Enqueue(stem + letter);
            }
        }
    }

    // Adds a text as the merge of its beginning and its last letter.
    private void AddText(string text)
    {
        if (_known.Add(text))
        {
            Add(text, Normal);
            _merges.Add($"{text[..^1]} {text[^1]}");
        }
    }

    private void AddNamed(int id)
    {
        if (_layout.Special.TryGetValue(id, out string? name))
        {
            Add(name, name == "<unk>" ? Unknown : Control);
        }
        else
        {
            Add(_layout.Unnamed.Replace("#", id.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), Unused);
        }
    }

    private void Add(string text, int type)
    {
        _tokens.Add(text);
        _types.Add(type);
    }

    private static bool StandsForItself(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    // Byte-level BPE represents each byte by a printable character: printable bytes represent themselves, and the others start at U+0100, as in
    // GPT-2's encoder.
    private static char ByteLetter(int value) =>
        StandsForItself(value) ? (char)value : (char)(0x100 + Enumerable.Range(0, value).Count(other => !StandsForItself(other)));
}
