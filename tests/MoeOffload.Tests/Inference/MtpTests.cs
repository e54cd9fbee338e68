using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A model's own layers for multi-token prediction guess tokens, and change nothing else.</summary>
[TestFixture]
public sealed class MtpTests
{
    private const int Guesses = 3;

    private static readonly SpeculationOptions s_speculation = new() { UseMtpLayers = true, MaxDraftTokens = Guesses, MinAcceptanceRate = 0 };
    private static readonly ModelOptions s_options = new() { LoadMtpLayers = true };

    public static IEnumerable<TestCaseData> Models() =>
    [
        new(TinyModels.Glm4Moe(TinyModelOptions.AllExperts), new KvCacheOptions()),
        new(TinyModels.Step35(TinyModelOptions.AllExperts), new KvCacheOptions { Unified = true }),
        new(TinyModels.Qwen35Moe(TinyModelOptions.AllExperts), new KvCacheOptions()),
    ];

    public static IEnumerable<TestCaseData> Caches() =>
    [
        .. Models(),
        new(TinyModels.Glm4Moe(TinyModelOptions.AllExperts), new KvCacheOptions { Unified = true }),
        new(TinyModels.Step35(TinyModelOptions.AllExperts), new KvCacheOptions { FullSizeSwa = true }),
        new(TinyModels.Qwen35Moe(TinyModelOptions.AllExperts), new KvCacheOptions { Unified = true }),
    ];

    [TestCaseSource(nameof(Models))]
    public async Task Greedy_text_with_guesses_is_that_without(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        for (int run = 0; run < 2; run++)
        {
            GreedyText expected = await GreedyText.Of(plain, Prompt(70), 200);
            GreedyText found = await GreedyText.Of(guessing, Prompt(70), 200);
            found.ShouldBeThatOf(expected);
            ShouldGuessWell(found);
        }
    }

    [TestCaseSource(nameof(Caches))]
    public async Task Generations_at_once_guess_as_each_alone(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(2048, sequences: 4) with { KvCache = cache, PromptTokensPerStep = 16, Speculation = s_speculation };
        using GenerationSession session = model.CreateSession(options);
        int[][] prompts = [.. Enumerable.Range(0, 6).Select(i => Prompt(5 + (17 * i)))];
        List<GreedyText> alone = [];
        foreach (int[] prompt in prompts)
        {
            alone.Add(await GreedyText.Of(session, prompt, 60));
        }

        using GenerationSession shared = model.CreateSession(options);
        GreedyText[] together = await Task.WhenAll(prompts.Select(prompt => Task.Run(() => GreedyText.Of(shared, prompt, 60))));
        for (int i = 0; i < prompts.Length; i++)
        {
            together[i].ShouldBeThatOf(alone[i]);
            ShouldGuessWell(together[i]);
        }

        // Where a hidden state were another sequence's or position's, the guesses would be others.
        int same = Enumerable.Range(0, prompts.Length).Count(i => together[i].Statistics!.AcceptedTokens == alone[i].Statistics!.AcceptedTokens);
        same.Should().BeGreaterThanOrEqualTo(prompts.Length - 2, "only rounding may move a guess");
    }

    [TestCaseSource(nameof(Models))]
    public async Task Prompt_that_begins_as_a_running_one_is_guessed_as_well(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(4096, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        await using TokenStream running = guessing.GenerateAsync(
            new GenerationRequest { PromptTokens = Prompt(200), Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } });
        while (!running.TryRead(out _))
        {
            await Task.Delay(1);
        }

        int[] prompt = [.. Prompt(200), 7, 8, 9];
        for (int run = 0; run < 2; run++)
        {
            GreedyText found = await GreedyText.Of(guessing, prompt, 80);
            found.ShouldBeThatOf(await GreedyText.Of(plain, prompt, 80));
            ShouldGuessWell(found);
        }
    }

    [TestCaseSource(nameof(Models))]
    public async Task Generations_that_are_cancelled_leave_the_others_and_the_cache_as_they_were(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(2048, sequences: 2) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        GreedyText expected = await GreedyText.Of(plain, Prompt(60), 100);
        var random = new Random(1);
        for (int run = 0; run < 12; run++)
        {
            using var cancellation = new CancellationTokenSource(TimeSpan.FromMicroseconds(random.Next(6000)));
            await FluentActions.Awaiting(() => SmallModel.Read(
                    guessing.GenerateAsync(new GenerationRequest { PromptTokens = Prompt(60), Sampling = SamplingOptions.Greedy, MaxTokens = 900 }, cancellation.Token)))
                .Should().ThrowAsync<OperationCanceledException>();
            if (run % 4 == 3)
            {
                GreedyText found = await GreedyText.Of(guessing, Prompt(60), 100);
                found.ShouldBeThatOf(expected);
                ShouldGuessWell(found);
            }
        }
    }

    [TestCaseSource(nameof(Models))]
    public async Task Sampled_text_with_a_seed_stop_strings_and_a_grammar_are_those_without_guesses(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(1024) with { KvCache = cache };
        using GenerationSession plain = model.CreateSession(options);
        using GenerationSession guessing = model.CreateSession(options with { Speculation = s_speculation });
        string text = SmallModel.Text(await SmallModel.Read(plain.GenerateAsync("To be", SamplingOptions.Greedy, 40)));
        foreach (GenerationRequest request in (GenerationRequest[])
        [
            new() { Prompt = "To be", Sampling = new SamplingOptions { Seed = 3, Temperature = 0.1f }, MaxTokens = 60 },
            new() { Prompt = "To be", Sampling = SamplingOptions.Greedy, MaxTokens = 60, StopStrings = [text[20..23]] },
            new() { Prompt = "ab ab", Sampling = SamplingOptions.Greedy with { Grammar = "root ::= (\" \"? \"ab\")*" }, MaxTokens = 60 },
        ])
        {
            using TokenStream expected = plain.GenerateAsync(request);
            using TokenStream found = guessing.GenerateAsync(request);
            List<GeneratedToken> tokens = await SmallModel.Read(expected);
            (await SmallModel.Read(found)).Select(token => token.Id).Should().Equal(tokens.Select(token => token.Id));
            found.StopReason.Should().Be(expected.StopReason);
            found.Statistics!.DraftedTokens.Should().BePositive();
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Generations_that_shift_and_share_a_prompt_go_on_guessing(bool unified)
    {
        using MoeModel model = MoeModel.Load(TinyModels.Glm4Moe().Path, s_options);
        using GenerationSession session = model.CreateSession(
            SmallModel.Context(512, sequences: 2) with { KvCache = new KvCacheOptions { Unified = unified }, Speculation = s_speculation });
        var request = new GenerationRequest
        {
            PromptTokens = Prompt(100),
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            ContextFull = ContextFullAction.Shift,
            MaxTokens = session.SequenceLength * 2,
        };
        TokenStream[] streams = [session.GenerateAsync(request), session.GenerateAsync(request)];
        List<GeneratedToken>[] texts = await Task.WhenAll(streams.Select(stream => Task.Run(() => SmallModel.Read(stream))));
        for (int i = 0; i < streams.Length; i++)
        {
            GenerationStatistics statistics = streams[i].Statistics!;
            TestContext.Out.WriteLine($"{statistics.AcceptedTokens} of {statistics.DraftedTokens} of {texts[i].Count}, {streams[i].StopReason}");
            statistics.AcceptedTokens.Should().BeGreaterThan(statistics.DraftedTokens / 5);
        }

        texts.Should().Contain(text => text.Count == request.MaxTokens);
    }

    [TestCaseSource(nameof(Models))]
    public async Task Sequences_from_system_memory_or_a_state_are_guessed_on(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path, s_options);
        ContextOptions options = SmallModel.Context(1024) with { KvCache = cache, PrefixCache = new PrefixCacheOptions { HostBytes = 1 << 26 } };
        using GenerationSession plain = model.CreateSession(options);
        GreedyText expected = await GreedyText.Of(plain, Prompt(120), 150);
        using GenerationSession first = model.CreateSession(options with { Speculation = s_speculation });
        await GreedyText.Of(first, Prompt(119), 1);
        using var state = new MemoryStream();
        await first.SaveStateAsync(state);
        state.Position = 0;
        await GreedyText.Of(first, [5, 6, .. Prompt(100)], 1);
        (await GreedyText.Of(first, Prompt(120), 150)).ShouldBeThatOf(expected);
        first.Statistics.SwapIns.Should().Be(1);

        using GenerationSession second = model.CreateSession(options with { Speculation = s_speculation });
        (await second.LoadStateAsync(state)).Should().BeGreaterThan(100);
        GreedyText found = await GreedyText.Of(second, Prompt(120), 150);
        found.ShouldBeThatOf(expected);
        found.Statistics!.CachedPromptTokens.Should().BeGreaterThan(100);
        ShouldGuessWell(found);
    }

    [Test]
    public async Task Several_layers_guess_one_token_each()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Step35().Path, s_options);
        model.Info.MtpLayerCount.Should().Be(3);
        using GenerationSession two = model.CreateSession(SmallModel.Context(1024) with { Speculation = s_speculation with { MaxDraftTokens = 2 } });
        using GenerationSession three = model.CreateSession(SmallModel.Context(1024) with { Speculation = s_speculation });
        using GenerationSession more = model.CreateSession(SmallModel.Context(1024) with { Speculation = s_speculation with { MaxDraftTokens = 8 } });
        GreedyText withTwo = await GreedyText.Of(two, Prompt(30), 100);
        GreedyText withThree = await GreedyText.Of(three, Prompt(30), 100);
        GreedyText withMore = await GreedyText.Of(more, Prompt(30), 100);
        withMore.Statistics!.DraftedTokens.Should().Be(withThree.Statistics!.DraftedTokens);
        withTwo.ShouldBeThatOf(withThree);
        ShouldGuessWell(withTwo);
    }

    [Test]
    public async Task Layers_on_another_device_guess_as_well_as_on_the_CPU()
    {
        using SecondDevice device = SecondDevice.Start();
        TinyModel file = TinyModels.Glm4Moe();
        using MoeModel here = MoeModel.Load(file.Path, s_options);
        using MoeModel there = MoeModel.Load(file.Path, device.Options with { LoadMtpLayers = true, Placement = TensorPlacement.ExpertsToCpu() });
        there.Placement.Tensors.Should().Contain(tensor => tensor.Name == "blk.3.nextn.eh_proj.weight" && tensor.Device == device.Name);
        there.Placement.Tensors.Should().Contain(tensor => tensor.Name == "blk.3.ffn_up_exps.weight" && tensor.IsHost);
        ContextOptions options = SmallModel.Context(512) with { Speculation = s_speculation };
        using GenerationSession one = here.CreateSession(options);
        using GenerationSession other = there.CreateSession(options);
        GreedyText found = await GreedyText.Of(other, Prompt(40), 60);
        found.ShouldBeThatOf(await GreedyText.Of(one, Prompt(40), 60));
        ShouldGuessWell(found);
    }

    [Test]
    public void Memory_of_the_layers_is_estimated_and_counted()
    {
        TinyModel file = TinyModels.Step35();
        ContextOptions options = SmallModel.Context(1024) with { Speculation = s_speculation };
        ModelOptions unmapped = s_options with { LoadMode = LoadMode.None };
        using MoeModel model = MoeModel.Load(file.Path, unmapped);
        using GenerationSession guessing = model.CreateSession(options);
        using GenerationSession plain = model.CreateSession(options with { Speculation = new SpeculationOptions { MaxDraftTokens = Guesses } });
        MoeModel.EstimateMemory(file.Path, unmapped, options).Total.Should().Be(guessing.Memory.Total);
        guessing.Memory.Total.ContextBytes.Should().BeGreaterThan(plain.Memory.Total.ContextBytes);
        guessing.Memory.Total.WeightBytes.Should().Be(plain.Memory.Total.WeightBytes);
        using MoeModel without = MoeModel.Load(file.Path);
        without.Info.MtpLayerCount.Should().Be(3, "the file has them");
        without.Placement.TensorCount.Should().BeLessThan(model.Placement.TensorCount);
    }

    [Test]
    public void Model_that_has_no_layers_for_it_or_has_not_loaded_them_is_refused_with_the_remedy()
    {
        Refused(SmallModel.File, s_options, "*no layers for multi-token prediction*UseMtpLayers to false*DraftModel*");
        Refused(TinyModels.Glm4Moe(), new ModelOptions(), "*not loaded*ModelOptions.LoadMtpLayers*");
        Refused(TinyModels.Glm4Moe(new TinyModelOptions { MtpLayers = 2 }), s_options, "*cannot compute*UseMtpLayers to false*");
        string cut = AlteredModels.Alter(TinyModels.Glm4Moe(), keepTensor: name => !name.StartsWith("blk.3.", StringComparison.Ordinal));
        using MoeModel model = MoeModel.Load(cut, s_options);
        FluentActions.Invoking(() => model.CreateSession(SmallModel.Context() with { Speculation = s_speculation }))
            .Should().Throw<NotSupportedException>().WithMessage("*not in the file*");

        static void Refused(TinyModel file, ModelOptions options, string message)
        {
            using MoeModel model = MoeModel.Load(file.Path, options);
            FluentActions.Invoking(() => model.CreateSession(SmallModel.Context() with { Speculation = s_speculation }))
                .Should().Throw<NotSupportedException>().WithMessage(message);
            using GenerationSession session = model.CreateSession(SmallModel.Context());
        }
    }

    [Test]
    public void Options_that_contradict_each_other_are_refused()
    {
        SpeculationOptions both = s_speculation with { DraftModel = SmallModel.Shared };
        FluentActions.Invoking(() => SmallModel.Shared.CreateSession(SmallModel.Context() with { Speculation = both }))
            .Should().Throw<ArgumentException>().Which.ParamName.Should().Be(nameof(SpeculationOptions.UseMtpLayers));
        using MoeModel model = MoeModel.Load(TinyModels.Qwen35Moe().Path, s_options);
        FluentActions.Invoking(() => model.CreateSession(SmallModel.Context() with { Speculation = s_speculation, MicroBatchSize = Guesses + 1 }))
            .Should().Throw<ArgumentException>().WithMessage("*micro-batch*").Which.ParamName.Should().Be(nameof(ContextOptions.MicroBatchSize));
    }

    private static void ShouldGuessWell(GreedyText text)
    {
        GenerationStatistics statistics = text.Statistics!;
        statistics.AcceptedTokens.Should().BeGreaterThan(statistics.DraftedTokens / 8, $"of {text.Tokens.Length} tokens");
    }

    private static int[] Prompt(int count) => [.. Enumerable.Range(0, count).Select(i => 200 + (i * i % 301))];
}
