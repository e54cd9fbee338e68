using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Guessing tokens ahead saves steps and changes nothing else.</summary>
[TestFixture]
public sealed class SpeculationTests
{
    private static readonly SpeculationOptions s_speculation = new();

    // Text that repeats itself is what guesses are found in.
    private static readonly TinyModelOptions s_fewWords = new() { Words = 24 };

    private static readonly Lazy<MoeModel> s_repeating =
        new(() => MoeModel.Load(TinyModels.Qwen3Moe(SmallModel.File.Options with { Words = s_fewWords.Words }).Path));

    public static IEnumerable<TestCaseData> Models()
    {
        foreach (TinyModel model in TinyModels.Each(s_fewWords))
        {
            yield return new(model, new KvCacheOptions());
        }

        yield return new(TinyModels.Qwen3Moe(s_fewWords), new KvCacheOptions { Unified = true });
        yield return new(TinyModels.GptOss(s_fewWords), new KvCacheOptions { FullSizeSwa = false });
    }

    [TestCaseSource(nameof(Models))]
    public async Task Greedy_text_with_guesses_is_that_without(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path);
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        int[] prompt = [.. Repeated(30), .. Repeated(30), .. Repeated(10)];
        for (int run = 0; run < 2; run++)
        {
            GreedyText expected = await GreedyText.Of(plain, prompt, 200);
            GreedyText found = await GreedyText.Of(guessing, prompt, 200);
            found.ShouldBeThatOf(expected);
            found.Statistics!.DraftedTokens.Should().BePositive();
            found.Statistics.AcceptedTokens.Should().BeInRange(0, found.Statistics.DraftedTokens);
            expected.Statistics!.DraftedTokens.Should().Be(0);
        }
    }

    [Test]
    public async Task Text_that_repeats_itself_takes_fewer_steps()
    {
        using GenerationSession session = Session(s_speculation);
        GreedyText text = await GreedyText.Of(session, new GenerationRequest { Prompt = "To be", MaxTokens = 600 });
        TestContext.Out.WriteLine($"{text.Statistics!.AcceptedTokens} of {text.Statistics.DraftedTokens} guesses were right, of 600 tokens");
        text.Statistics.AcceptedTokens.Should().BeGreaterThan(60).And.BeGreaterThan(text.Statistics.DraftedTokens / 3);
        GreedyText off = await GreedyText.Of(session, new GenerationRequest { Prompt = "To be", MaxTokens = 600, Speculate = false });
        off.Statistics!.DraftedTokens.Should().Be(0);
        text.ShouldBeThatOf(off);
    }

    [Test]
    public async Task Sampled_text_with_a_seed_is_that_without_guesses()
    {
        var request = new GenerationRequest
        {
            PromptTokens = [.. Repeated(40), .. Repeated(40)],
            Sampling = new SamplingOptions { Seed = 3, Temperature = 0.3f },
            MaxTokens = 150,
        };
        using GenerationSession plain = Session(null);
        using GenerationSession guessing = Session(s_speculation);
        TokenStream stream = guessing.GenerateAsync(request);
        (await SmallModel.Read(stream)).Select(token => token.Id)
            .Should().Equal((await SmallModel.Read(plain.GenerateAsync(request))).Select(token => token.Id));
        stream.Statistics!.DraftedTokens.Should().BePositive();
    }

    [Test]
    public async Task Grammar_and_stop_strings_hold_for_guesses_too()
    {
        using GenerationSession plain = Session(null);
        using GenerationSession guessing = Session(s_speculation);
        foreach (GenerationRequest request in (GenerationRequest[])
        [
            new() { Prompt = "ab ab ab ab ab", Sampling = SamplingOptions.Greedy with { Grammar = "root ::= (\" \"? \"ab\")*" }, MaxTokens = 60 },
            new() { Prompt = "To be", Sampling = SamplingOptions.Greedy, MaxTokens = 300, StopStrings = ["e t", "zz"] },
        ])
        {
            TokenStream expected = plain.GenerateAsync(request);
            TokenStream found = guessing.GenerateAsync(request);
            string text = SmallModel.Text(await SmallModel.Read(expected));
            SmallModel.Text(await SmallModel.Read(found)).Should().Be(text);
            found.StopReason.Should().Be(expected.StopReason);
        }
    }

    [TestCase(ContextFullAction.Stop)]
    [TestCase(ContextFullAction.Shift)]
    public async Task Limits_are_met_exactly(ContextFullAction whenFull)
    {
        using GenerationSession plain = SmallModel.Shared.CreateSession(SmallModel.Context());
        using GenerationSession guessing = SmallModel.Shared.CreateSession(SmallModel.Context() with { Speculation = s_speculation });
        GenerationRequest request = new()
        {
            Prompt = "To be",
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            ContextFull = whenFull,
        };
        foreach (int count in (int[])[1, 2, 3, 77, 400])
        {
            TokenStream expected = plain.GenerateAsync(request with { MaxTokens = count });
            TokenStream found = guessing.GenerateAsync(request with { MaxTokens = count });
            (await SmallModel.Read(found)).Should().HaveSameCount(await SmallModel.Read(expected));
            found.StopReason.Should().Be(expected.StopReason);
            found.Statistics!.GeneratedTokens.Should().Be(expected.Statistics!.GeneratedTokens);
        }
    }

    [Test]
    public async Task Generations_at_once_guess_each_for_itself()
    {
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => (int[])[i, .. Repeated(20 + i), .. Repeated(20 + i)])];
        using GenerationSession plain = Session(null);
        List<GreedyText> alone = [];
        foreach (int[] prompt in prompts)
        {
            alone.Add(await GreedyText.Of(plain, prompt, 100));
        }

        using GenerationSession guessing = s_repeating.Value.CreateSession(
            SmallModel.Context(2048, sequences: 4) with { Speculation = s_speculation, BatchSize = 24 });
        GreedyText[] together = await Task.WhenAll(prompts.Select(prompt => Task.Run(() => GreedyText.Of(guessing, prompt, 100))));
        for (int i = 0; i < prompts.Length; i++)
        {
            together[i].ShouldBeThatOf(alone[i]);
        }
    }

    [Test]
    public void Session_that_would_guess_for_a_recurrent_model_is_refused()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Mamba().Path);
        FluentActions.Invoking(() => model.CreateSession(SmallModel.Context() with { Speculation = s_speculation }))
            .Should().Throw<NotSupportedException>().WithMessage("*mamba*Speculation*");
    }

    [TestCase(1, 0.9)]
    [TestCase(7, 0)]
    public async Task Text_with_a_draft_model_is_that_without_whether_its_guesses_are_right_or_not(int seed, double share)
    {
        MoeModel draft = MoeModel.Load(TinyModels.Qwen3Moe(SmallModel.File.Options with { Seed = seed }).Path);
        ContextOptions options = SmallModel.Context(4096, sequences: 4) with { PromptTokensPerStep = 64 };
        using GenerationSession plain = SmallModel.Shared.CreateSession(options);
        using GenerationSession guessing = SmallModel.Shared.CreateSession(
            options with { Speculation = new SpeculationOptions { DraftModel = draft, MaxDraftTokens = 4, MinAcceptanceRate = 0 } });
        draft.Dispose();
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => (int[])[i, .. Repeated(1 + (60 * i))])];
        List<GreedyText> alone = [];
        foreach (int[] prompt in prompts)
        {
            alone.Add(await GreedyText.Of(plain, prompt, 80));
        }

        GreedyText[] together = await Task.WhenAll(prompts.Select(prompt => Task.Run(() => GreedyText.Of(guessing, prompt, 80))));
        for (int i = 0; i < prompts.Length; i++)
        {
            together[i].ShouldBeThatOf(alone[i]);
        }

        int drafted = together.Sum(text => text.Statistics!.DraftedTokens);
        int accepted = together.Sum(text => text.Statistics!.AcceptedTokens);
        TestContext.Out.WriteLine($"{accepted} of {drafted} guesses were right");
        drafted.Should().BeGreaterThan(100);
        ((double)accepted).Should().BeGreaterThanOrEqualTo(share * drafted);
        (await GreedyText.Of(guessing, prompts[5], 80)).ShouldBeThatOf(alone[5], "what was kept of it is right");
    }

    [Test]
    public async Task Guesses_that_are_wrong_become_rare_and_the_text_stays_that_without()
    {
        using MoeModel draft = MoeModel.Load(TinyModels.Qwen3Moe(SmallModel.File.Options with { Seed = 7 }).Path);
        using GenerationSession plain = Session(null);
        using GenerationSession guessing = Session(new SpeculationOptions { DraftModel = draft });
        GreedyText found = await GreedyText.Of(guessing, Repeated(40), 600);
        found.ShouldBeThatOf(await GreedyText.Of(plain, Repeated(40), 600));
        found.Statistics!.DraftedTokens.Should().BeInRange(5, 30, "one in 64 tokens, and more in the beginning");
    }

    [TestCase("1/1 1/1 1/1 1/1", "1 2 4 8 8", TestName = "{m}_right")]
    [TestCase("1/1 2/2 3/4", "1 2 4 3", TestName = "{m}_partly_right")]
    [TestCase("0/1 0/0 0/0 0/0 0/0 0/1 0/0 0/0", "1 0 0 0 0 1 0 0 0", TestName = "{m}_wrong")]
    [TestCase("0/1 0/0 0/0 0/0 0/0 1/1 2/2", "1 0 0 0 0 1 2 4", TestName = "{m}_wrong_then_right")]
    public void Guesses_are_as_many_as_were_right(string steps, string lengths)
    {
        var pace = new DraftPace(s_speculation.ToLimits());
        List<int> found = [pace.Length];
        foreach (int[] step in steps.Split(' ').Select(step => step.Split('/').Select(int.Parse).ToArray()))
        {
            pace.Update(step[1], step[0]);
            found.Add(pace.Length);
        }

        found.Should().Equal(lengths.Split(' ').Select(int.Parse));
    }

    [Test]
    public void Generation_that_is_never_guessed_right_pauses_for_64_tokens_at_most()
    {
        var pace = new DraftPace(s_speculation.ToLimits());
        List<int> guesses = [];
        for (int token = 0; token < 1000; token++)
        {
            if (pace.Length > 0)
            {
                guesses.Add(token);
            }

            pace.Update(pace.Length, 0);
        }

        guesses.Zip(guesses.Skip(1), (one, next) => next - one).Should().StartWith([5, 9, 17, 33, 65]).And.AllSatisfy(gap => gap.Should().BeLessThan(66));
    }

    [Test]
    public async Task Generation_that_shifts_goes_on_with_a_draft_model()
    {
        ContextOptions options = SmallModel.Context() with { Speculation = new SpeculationOptions { DraftModel = SmallModel.Shared } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            Prompt = "To be",
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            ContextFull = ContextFullAction.Shift,
            MaxTokens = 600,
        });
        (await SmallModel.Read(stream)).Should().HaveCount(600);
        stream.Statistics!.AcceptedTokens.Should().BeGreaterThan(200);
    }

    [Test]
    public void Memory_of_a_draft_model_and_its_context_is_counted()
    {
        using MoeModel draft = MoeModel.Load(SmallModel.File.Path);
        using GenerationSession plain = SmallModel.Shared.CreateSession(SmallModel.Context(1024));
        using GenerationSession guessing = SmallModel.Shared.CreateSession(
            SmallModel.Context(1024) with { Speculation = new SpeculationOptions { DraftModel = draft } });

        guessing.Memory.Total.ContextBytes.Should().Be(2 * plain.Memory.Total.ContextBytes, "both models have the same shape");
        guessing.Memory.Total.ComputeBytes.Should().BeGreaterThan(plain.Memory.Total.ComputeBytes);
        guessing.Memory.Total.WeightBytes.Should().Be(2 * plain.Memory.Total.WeightBytes, "both models have the same weights");
    }

    [Test]
    public void Draft_model_with_another_vocabulary_is_refused()
    {
        using MoeModel draft = MoeModel.Load(TinyModels.Llama().Path);
        FluentActions.Invoking(() => SmallModel.Shared.CreateSession(
                SmallModel.Context() with { Speculation = new SpeculationOptions { DraftModel = draft } }))
            .Should().Throw<ArgumentException>().WithMessage("*vocabularies*").Which.ParamName.Should().Be(nameof(SpeculationOptions.DraftModel));
    }

    [TestCase("1 2 3 4 5 2 3", 8, "4 5 2 3")]
    [TestCase("1 2 3 4 5 2 3", 2, "4 5")]
    [TestCase("1 2 3 9 1 2 3 8 2 3", 1, "8")]
    [TestCase("1 2 3 4 9 2 3 5 1 2 3", 1, "4")]
    [TestCase("7 7 7", 4, "7")]
    [TestCase("1 2 3 4", 4, "")]
    [TestCase("1 2 1", 4, "")]
    [TestCase("1", 4, "")]
    public void Lookup_finds_what_followed_the_last_time(string tokens, int most, string expected) =>
        string.Join(' ', PromptLookup.Find([.. tokens.Split(' ').Select(int.Parse)], s_speculation.ToLimits(), most).ToArray()).Should().Be(expected);

    private static GenerationSession Session(SpeculationOptions? speculation) =>
        s_repeating.Value.CreateSession(SmallModel.Context(1024) with { Speculation = speculation });

    private static int[] Repeated(int count) => [.. Enumerable.Range(200, count)];
}
