using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Models;

/// <summary>
/// What the tests that compare texts rely on: the text of a tiny model does not repeat itself, whatever its seed is, and everything that
/// a model computes decides about it.
/// </summary>
[TestFixture]
public sealed class TinyModelTextTests
{
    private const int Tokens = 64;

    private static IEnumerable<TinyModel> Models =>
        [.. TinyModels.All, .. TinyModels.Quantized, .. Enumerable.Range(2, 3).SelectMany(seed => TinyModels.Each(new TinyModelOptions { Seed = seed }))];

    private static IEnumerable<TinyModel> WithExperts => TinyModels.All.Where(model => model.Shape.Experts > 0);

    [TestCaseSource(nameof(Models))]
    public async Task Text_does_not_repeat_itself(TinyModel file)
    {
        int[] text = await Continue(file.Path, "To be or not");

        text.Should().HaveCount(Tokens).And.OnlyHaveUniqueItems();
    }

    [TestCaseSource(nameof(WithExperts))]
    public async Task Text_depends_on_how_many_experts_compute(TinyModel file)
    {
        string fewer = AlteredModels.Alter(file, writer => writer.Set($"{file.Shape.Architecture}.expert_used_count", 1u));

        (await Continue(fewer, "To be or not")).Should().NotEqual(await Continue(file.Path, "To be or not"));
    }

    [TestCaseSource(nameof(WithExperts))]
    public async Task Text_depends_on_more_than_the_last_token(TinyModel file) =>
        (await Continue(file.Path, "We have to be or not")).Should().NotEqual(await Continue(file.Path, "To be or not"));

    [Test]
    public async Task Text_of_few_words_repeats_itself()
    {
        TinyModel few = TinyModels.Qwen3Moe(new TinyModelOptions { Words = 24 });

        (await Continue(few.Path, "To be or not")).Distinct().Count().Should().BeLessThanOrEqualTo(24);
    }

    private static async Task<int[]> Continue(string path, string prompt)
    {
        using MoeModel model = await MoeModel.LoadAsync(path);
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        return await SmallModel.Greedy(session, prompt, Tokens);
    }
}
