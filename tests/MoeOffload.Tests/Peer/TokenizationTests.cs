using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Models;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Text to tokens and back, against llama.cpp's server; for text that its JSON cannot carry, against its completion tool.</summary>
[TestFixtureSource(nameof(Vocabularies))]
public sealed class TokenizationTests(string vocabulary)
{
    private const int ControlToken = 3;

    private string _folder = string.Empty;
    private string _path = string.Empty;
    private LlamaServer _server = null!;
    private MoeModel _model = null!;

    private static IEnumerable<string> Vocabularies => [.. TinyModels.All.Select(model => model.Name), .. RealVocabularies.Names];

    [OneTimeSetUp]
    public void Load()
    {
        _folder = Directory.CreateTempSubdirectory("vocabulary größe ").FullName;
        _path = TinyModels.All.FirstOrDefault(model => model.Name == vocabulary)?.Path ?? RealVocabularies.Write(vocabulary, _folder);
        _model = MoeModel.Load(_path);
        _server = LlamaServer.Start(_path);
    }

    [OneTimeTearDown]
    public void Unload()
    {
        _server?.Dispose();
        _model?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public void Text_becomes_the_peers_tokens([Values] bool addSpecial, [Values] bool parseSpecial)
    {
        foreach (string text in AwkwardTexts.Valid.Concat(SpecialTexts()))
        {
            IEnumerable<int> expected = _server.Tokenize(text, addSpecial, parseSpecial).Select(token => token.Id);

            _model.Vocabulary.Tokenize(text, addSpecial, parseSpecial).Should().Equal(expected, "of {0}", Shown(text));
        }
    }

    [Test]
    public void Text_of_special_tokens_is_parsed_only_on_request()
    {
        string[] special = SpecialTokens();
        string text = string.Concat(special);

        _model.Vocabulary.Tokenize(text, addSpecial: false, parseSpecial: true).Should().HaveCount(special.Length);
        _model.Vocabulary.Tokenize(text, addSpecial: false, parseSpecial: false).Should().HaveCountGreaterThan(special.Length);
    }

    [Test]
    public void Bytes_that_are_not_valid_utf8_become_the_peers_tokens()
    {
        foreach (byte[] bytes in AwkwardTexts.Invalid)
        {
            int[] expected = CompletionTool.Tokenize(_path, bytes);

            _model.Vocabulary.Tokenize(bytes, addSpecial: true, parseSpecial: true).Should().Equal(expected, "of {0}", Convert.ToHexString(bytes));
        }
    }

    [Test]
    public void Code_point_beyond_unicode_is_an_error_or_bytes()
    {
        if (IsByteLevel)
        {
            Action tokenize = () => _model.Vocabulary.Tokenize(AwkwardTexts.BeyondUnicode);

            tokenize.Should().Throw<InferenceException>().WithMessage("*codepoint*");
        }
        else
        {
            int[] expected = CompletionTool.Tokenize(_path, AwkwardTexts.BeyondUnicode);

            _model.Vocabulary.Tokenize(AwkwardTexts.BeyondUnicode).Should().Equal(expected);
        }
    }

    // llama.cpp's tools overflow their stack on these, so there is no peer to ask.
    [Test]
    public void Run_of_characters_of_any_length_is_tokenized_or_refused([Values("a", " ", "aA", "漢", "!", "\n", "\u3000 ")] string part)
    {
        // Only byte-level vocabularies have rules that recurse.
        string text = string.Concat(Enumerable.Repeat(part, IsByteLevel ? 100_000 : 10_000));

        int[] tokens = _model.Vocabulary.Tokenize(text, addSpecial: false);

        string.Concat(tokens.Select(token => Encoding.Latin1.GetString(_model.Pieces(special: true)[token].Span)))
            .Should().EndWith(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text)));
        if (IsByteLevel)
        {
            Action tokenize = () => _model.Vocabulary.Tokenize(new string('a', (1 << 20) + 1));

            tokenize.Should().Throw<ArgumentException>().WithMessage("*run of 1048577*");
        }
    }

    [Test]
    public void Pieces_are_the_peers_bytes()
    {
        TokenPieces pieces = _model.Pieces(special: true);
        foreach (string text in AwkwardTexts.Valid.Concat(SpecialTexts()))
        {
            foreach ((int id, byte[] piece) in _server.Tokenize(text, addSpecial: true, parseSpecial: true))
            {
                pieces[id].ToArray().Should().Equal(piece, "of token {0}", id);
            }
        }
    }

    [Test]
    public void Every_token_becomes_the_peers_text()
    {
        TokenPieces pieces = _model.Pieces(special: true);
        foreach (int[] ids in Enumerable.Range(0, _model.Vocabulary.Size).Where(id => pieces.IsWhole(id)).Chunk(4096))
        {
            Encoding.UTF8.GetString([.. ids.SelectMany(id => pieces[id].ToArray())]).Should().Be(_server.Detokenize(ids));
        }
    }

    [Test]
    public void Tokens_of_a_text_become_the_peers_text()
    {
        foreach (string text in AwkwardTexts.Valid.Concat(SpecialTexts()))
        {
            int[] tokens = _model.Vocabulary.Tokenize(text, addSpecial: false, parseSpecial: true);
            string expected = _server.Detokenize(tokens);

            string detokenized = _model.Vocabulary.Detokenize(tokens, renderSpecial: true);

            if (Tidies)
            {
                WithoutSpaces(detokenized).Should().Be(WithoutSpaces(expected), "of {0}", Shown(text));
            }
            else
            {
                detokenized.Should().Be(AddsSpace && expected.StartsWith(' ') ? expected[1..] : expected, "of {0}", Shown(text));
            }
        }

        static string WithoutSpaces(string text) => text.Replace(" ", string.Empty, StringComparison.Ordinal);
    }

    [Test]
    public void Texts_of_upstreams_own_tests_become_their_tokens()
    {
        foreach ((string text, int[] tokens) in RealVocabularies.Names.Contains(vocabulary) ? RealVocabularies.Examples(vocabulary) : [])
        {
            _model.Vocabulary.Tokenize(text, addSpecial: false).Should().Equal(tokens, "of {0}", Shown(text));
        }
    }

    private bool IsByteLevel => Metadata("tokenizer.ggml.model") == "gpt2";

    private bool AddsSpace => Metadata("tokenizer.ggml.add_space_prefix") is { } value ? value == "true" : !IsByteLevel;

    // llama.cpp's rules of these vocabularies take spaces before punctuation away.
    private bool Tidies => Metadata("tokenizer.ggml.pre") is "llama-bpe" or "gpt-2" or "olmo";

    private string? Metadata(string key) => _model.Metadata.GetValueOrDefault(key);

    private static string Shown(string text) => $"'{(text.Length > 40 ? text[..40] + "…" : text)}'";

    // Special tokens as a stranger would smuggle them in: alone, in a row, in words, with spaces around.
    private IEnumerable<string> SpecialTexts()
    {
        string[] special = [.. SpecialTokens()];
        return
        [
            .. special,
            string.Concat(special),
            string.Join(' ', special),
            string.Join("\r\n", special.Select(token => $"  {token}  ")),
            string.Concat(special.Select(token => $"a{token}b")),
        ];
    }

    private string[] SpecialTokens()
    {
        GgufMetadata metadata = GgufFile.Open(_path).Metadata;
        metadata.TryGetValue("tokenizer.ggml.tokens", out GgufValue tokens);
        metadata.TryGetValue("tokenizer.ggml.token_type", out GgufValue types);
        return [.. tokens.ToStringArray().Zip(types.ToArray<int>()).Where(token => token.Second == ControlToken).Select(token => token.First).Take(12)];
    }
}
