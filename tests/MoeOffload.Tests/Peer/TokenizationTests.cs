using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
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
        foreach (string text in SpecialTokens())
        {
            _model.Vocabulary.Tokenize(text, addSpecial: false, parseSpecial: true).Should().ContainSingle(text);
            _model.Vocabulary.Tokenize(text, addSpecial: false, parseSpecial: false).Should().HaveCountGreaterThan(1, text);
        }
    }

    [Test]
    public void Bytes_that_are_no_utf8_become_the_peers_tokens()
    {
        foreach (byte[] bytes in AwkwardTexts.Invalid)
        {
            int[] expected = CompletionTool.Tokenize(_path, bytes);

            _model.Vocabulary.Tokenize(bytes, addSpecial: true, parseSpecial: true).Should().Equal(expected, "of {0}", Convert.ToHexString(bytes));
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
    public void Tokens_of_a_text_become_the_text_again()
    {
        foreach (string text in AwkwardTexts.Valid)
        {
            int[] tokens = _model.Vocabulary.Tokenize(text, addSpecial: true);

            _model.Vocabulary.Detokenize(tokens, removeSpecial: true, renderSpecial: true).Should().Be(text);
        }

        foreach (byte[] bytes in AwkwardTexts.Invalid)
        {
            int[] tokens = _model.Vocabulary.Tokenize(bytes);

            _model.Vocabulary.DetokenizeToUtf8(tokens, removeSpecial: true, renderSpecial: true).Should().Equal(bytes);
        }
    }

    [Test]
    public void Texts_of_upstreams_own_tests_become_their_tokens()
    {
        foreach ((string text, int[] tokens) in RealVocabularies.Names.Contains(vocabulary) ? RealVocabularies.Examples(vocabulary) : [])
        {
            _model.Vocabulary.Tokenize(text, addSpecial: false).Should().Equal(tokens, "of {0}", Shown(text));
        }
    }

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
