using FluentAssertions;
using MoeOffload;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;
using TinyMoe.Corpus;
using TinyMoe.Tokenizer;

namespace TinyMoe.Tests;

/// <summary>The tokens of the training data must be the tokens that llama.cpp produces for the same text.</summary>
[TestFixture]
public sealed class TokenizerTests
{
    [Test]
    public async Task Documents_have_the_tokens_that_llama_makes_of_them()
    {
        using MoeModel model = await MoeModel.LoadAsync(DemoModel.Path);
        BpeTokenizer tokenizer = FromFile();
        var library = new Library(seed: 5);
        for (int i = 0; i < 500; i++)
        {
            Document document = library.Write();
            string text = document.Text;
            tokenizer.Encode(document).Should().Equal(model.Vocabulary.Tokenize(text, parseSpecial: true), text);
        }
    }

    [Test]
    public void Documents_fit_into_the_window_that_the_model_is_trained_with()
    {
        BpeTokenizer tokenizer = FromFile();
        var library = new Library(seed: 1);

        Enumerable.Range(0, 6000).Select(_ => tokenizer.Encode(library.Write()).Length).Count(length => length >= 512).Should().BeLessThan(60);
    }

    [TestCase("Zürich, naïve café — 12345 + 6789 = ?")]
    [TestCase("  two  spaces,\ttabs\n\n\nand lines  ")]
    [TestCase("It's we'll they've DON'T")]
    public async Task Strange_text_has_the_tokens_that_llama_makes_of_it(string text)
    {
        using MoeModel model = await MoeModel.LoadAsync(DemoModel.Path);

        FromFile().Encode(new Document(TextKind.Talk, [text], new HashSet<int>())).Should().Equal(model.Vocabulary.Tokenize(text, parseSpecial: false));
    }

    [Test]
    public void Trainer_merges_the_most_frequent_pair_first_and_of_equals_the_first_by_its_letters()
    {
        var merges = BpeTrainer.Train(new Dictionary<string, long> { ["low"] = 5, ["lower"] = 2, ["new"] = 6, ["newest"] = 3 }, count: 3);

        merges.Should().Equal(("e", "w"), ("n", "ew"), ("l", "o"));
    }

    private static BpeTokenizer FromFile()
    {
        GgufFile.Open(DemoModel.Path).Metadata.TryGetValue("tokenizer.ggml.merges", out GgufValue merges);
        return BpeTokenizer.FromMerges(merges.ToStringArray());
    }
}
