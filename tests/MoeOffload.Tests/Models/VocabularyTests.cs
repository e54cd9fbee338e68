using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

[TestFixture]
public sealed class VocabularyTests
{
    [Test]
    public void Tokens_that_end_a_text_are_looked_for_once_for_a_model()
    {
        int[] ends = SmallModel.Shared.Native.Vocabulary.EndOfGenerationTokens;
        ends.Should().NotBeEmpty().And.OnlyContain(token => SmallModel.Shared.Vocabulary.IsEndOfGeneration(token));
        SmallModel.Shared.Native.Vocabulary.EndOfGenerationTokens.Should().BeSameAs(ends);
    }

    // SentencePiece puts a space before words, which turning single tokens into text would lose.
    [Test]
    public void Pieces_of_a_text_are_its_bytes([Values] bool sentencePiece)
    {
        using MoeModel model = MoeModel.Load((sentencePiece ? TinyModels.Llama() : TinyModels.Qwen3Moe()).Path);
        const string Text = "one größe two 😀";
        byte[] bytes = [.. model.Vocabulary.Tokenize(Text, addSpecial: false).SelectMany(token => model.Vocabulary.GetPiece(token).ToArray())];
        Encoding.UTF8.GetString(bytes).TrimStart(' ').Should().Be(Text);
        model.Invoking(it => it.Vocabulary.GetPiece(-1)).Should().Throw<ArgumentOutOfRangeException>();
        model.Invoking(it => it.Vocabulary.GetPiece(it.Vocabulary.Size)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [TestCase("gpt-2")]
    [TestCase("llama-spm")]
    [TestCase("qwen2")]
    public async Task Vocabulary_alone_is_that_of_its_model(string name)
    {
        const string Text = "one größe\n two 😀 <s>[INST] 12345";
        using var directory = new TemporaryDirectory();
        using MoeModel model = MoeModel.Load(RealVocabularies.Write(name, directory.Path));
        using Vocabulary alone = await Vocabulary.LoadAsync(RealVocabularies.VocabularyFile(name));

        alone.Size.Should().Be(model.Vocabulary.Size);
        alone.EndOfSequence.Should().Be(model.Vocabulary.EndOfSequence);
        foreach (bool special in (bool[])[false, true])
        {
            int[] tokens = alone.Tokenize(Text, addSpecial: special, parseSpecial: special);
            tokens.Should().Equal(model.Vocabulary.Tokenize(Text, addSpecial: special, parseSpecial: special));
            alone.Detokenize(tokens, removeSpecial: special, renderSpecial: special).Trim().Should().Contain("größe");
        }

        Encoding.UTF8.GetString(alone.GetPiece(alone.Tokenize("größe", addSpecial: false)[^1]).Span).Should().NotBeEmpty();
    }

    [Test]
    public void Vocabulary_of_a_split_model_needs_only_its_first_part()
    {
        using var directory = new TemporaryDirectory();
        var writer = new GgufWriter();
        GgufFile whole = GgufFile.Open(SmallModel.File.Path);
        foreach ((string key, GgufValue value) in whole.Metadata)
        {
            writer.Set(key, value);
        }

        writer.Set(GgufKeys.SplitIndex, (ushort)0);
        writer.Set(GgufKeys.SplitCount, (ushort)2);
        writer.Set(GgufKeys.SplitTensorCount, whole.Tensors.Count);
        string path = directory["model-00001-of-00002.gguf"];
        writer.Write(path);

        using Vocabulary vocabulary = Vocabulary.Load(path);

        vocabulary.Tokenize("Hello, the world").Should().Equal(SmallModel.Shared.Vocabulary.Tokenize("Hello, the world"));
    }

    [Test]
    public void Disposed_vocabulary_says_so_and_that_of_a_model_cannot_be_disposed_alone()
    {
        Vocabulary alone = Vocabulary.Load(SmallModel.File.Path);
        alone.Dispose();
        alone.Dispose();
        SmallModel.Shared.Vocabulary.Dispose();

        alone.Invoking(it => it.Tokenize("a")).Should().Throw<ObjectDisposedException>().WithMessage("*MoeOffload.Vocabulary*");
        SmallModel.Shared.Vocabulary.Tokenize("a").Should().NotBeEmpty();
    }

    [Test]
    public void Model_without_tensors_is_told_from_a_damaged_one()
    {
        FluentActions.Invoking(() => MoeModel.Load(RealVocabularies.VocabularyFile("gpt-2"))).Should().Throw<GgufFormatException>()
            .WithMessage("*has no tensors*Vocabulary.Load*").Which.Message.Should().NotContain("damaged");
    }

    [Test]
    public void File_without_a_vocabulary_says_so()
    {
        string path = AlteredModels.Alter(SmallModel.File, writer => writer.Set("tokenizer.ggml.model", "no_vocab"));

        FluentActions.Invoking(() => Vocabulary.Load(path)).Should().Throw<GgufFormatException>().WithMessage("*has no vocabulary*").Which.Message.Should().NotContain("damaged");
    }

    // Each of these arrays was read as one of another type by a published version of llama.cpp.
    [TestCase("tokenizer.ggml.tokens")]
    [TestCase("tokenizer.ggml.scores")]
    [TestCase("tokenizer.ggml.token_type")]
    [TestCase("tokenizer.ggml.merges")]
    public void Array_of_the_wrong_type_or_length_is_refused(string key)
    {
        foreach (Action<GgufWriter> change in (Action<GgufWriter>[])
        [
            writer => writer.SetArray(key, (byte)1, (byte)2),
            writer => writer.SetArray(key, new ulong[4096].AsSpan()),
            writer => writer.Set(key, 7u),
        ])
        {
            string path = AlteredModels.Alter(key.EndsWith("scores", StringComparison.Ordinal) ? TinyModels.Llama() : SmallModel.File, change);
            foreach (Action load in (Action[])[() => Vocabulary.Load(path).Dispose(), () => MoeModel.Load(path).Dispose()])
            {
                load.Should().Throw<MoeOffloadException>().Which.Should().Match(error => error is GgufFormatException || error is ModelLoadException);
            }
        }
    }
}
