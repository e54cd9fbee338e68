using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
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
}
