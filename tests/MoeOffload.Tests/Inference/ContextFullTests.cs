using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>A generation that fills its part of the context stops, fails, or forgets the older part and goes on.</summary>
[TestFixture]
public sealed class ContextFullTests
{
    private static readonly GenerationRequest s_request = new()
    {
        Prompt = "To be, or not to be",
        Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
    };

    [Test]
    public async Task Generation_that_must_not_fill_the_context_throws_after_its_last_token()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        TokenStream stopping = session.GenerateAsync(s_request);
        int expected = (await SmallModel.Read(stopping)).Count;
        stopping.StopReason.Should().Be(StopReason.ContextFull);

        TokenStream stream = session.GenerateAsync(s_request with { ContextFull = ContextFullAction.Error, StopStrings = ["never comes"] });
        int read = 0;
        await FluentActions.Awaiting(async () =>
        {
            await foreach (GeneratedToken token in stream)
            {
                read++;
            }
        }).Should().ThrowAsync<ContextFullException>().WithMessage("*256 tokens*ContextLength*");
        read.Should().Be(expected);
        stream.Statistics!.GeneratedTokens.Should().Be(expected);
        (await SmallModel.Greedy(session, "To be", 3)).Should().HaveCount(3);
    }

    [TestCase(null)]
    [TestCase(0)]
    [TestCase(254)]
    public async Task Generation_that_shifts_goes_on_beyond_the_context(int? keep)
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        TokenStream stream = session.GenerateAsync(
            s_request with { ContextFull = ContextFullAction.Shift, KeepTokens = keep, MaxTokens = 600 });
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        tokens.Should().HaveCount(600);
        stream.StopReason.Should().Be(StopReason.MaxTokens);
    }

    [Test]
    public async Task Generation_that_shifts_yields_what_it_would_have_yielded_until_then()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        List<GeneratedToken> stopped = await SmallModel.Read(session.GenerateAsync(s_request));
        List<GeneratedToken> shifted = await SmallModel.Read(
            session.GenerateAsync(s_request with { ContextFull = ContextFullAction.Shift, MaxTokens = 400 }));
        shifted.Take(stopped.Count - 1).Select(token => token.Id).Should().Equal(stopped.SkipLast(1).Select(token => token.Id));
    }

    [Test]
    public async Task Prompt_is_found_after_a_shift_only_as_far_as_nothing_was_forgotten_before()
    {
        using GenerationSession plain = SmallModel.Shared.CreateSession(SmallModel.Context());
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        int[] prompt = [.. Enumerable.Range(100, 100)];
        TokenStream stream = session.GenerateAsync(s_request with
        {
            PromptTokens = prompt,
            ContextFull = ContextFullAction.Shift,
            KeepTokens = 40,
            MaxTokens = 300,
        });
        await SmallModel.Read(stream);
        session.Statistics.PrefixCacheTokens.Should().Be(40);
        GreedyText found = await GreedyText.Of(session, prompt, 20);
        found.Statistics!.CachedPromptTokens.Should().Be(40);
        found.ShouldBeThatOf(await GreedyText.Of(plain, prompt, 20));
    }

    [Test]
    public async Task Shift_of_one_sequence_leaves_another_that_shares_its_cells_as_it_was()
    {
        int[] shared = [.. Enumerable.Range(100, 200)];
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with { KvCache = new KvCacheOptions { Unified = true } };
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        using GenerationSession plain = SmallModel.Shared.CreateSession(options with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        GreedyText steadyAlone = await GreedyText.Of(plain, [.. shared, 7], 200);
        GreedyText shiftingAlone = await GreedyText.Of(plain, Shifting([.. shared, 9]));

        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<GreedyText> steady = Task.Run(() => GreedyText.Of(session, [.. shared, 7], 200, begun));
        await begun.Task;
        GreedyText shifting = await GreedyText.Of(session, Shifting([.. shared, 9]));
        (await steady).ShouldBeThatOf(steadyAlone);
        shifting.Statistics!.CachedPromptTokens.Should().Be(200);
        shifting.Tokens.Should().HaveCount(shiftingAlone.Tokens.Length);
        (await GreedyText.Of(session, [.. shared, 7], 200)).ShouldBeThatOf(steadyAlone, "what is kept of it is still right");

        static GenerationRequest Shifting(int[] prompt) => new()
        {
            PromptTokens = prompt,
            ContextFull = ContextFullAction.Shift,
            KeepTokens = 10,
            MaxTokens = 1000,
        };
    }

    [Test]
    public void Request_to_shift_what_cannot_be_shifted_is_refused()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Mamba().Path);
        using GenerationSession session = model.CreateSession(SmallModel.Context());
        FluentActions.Invoking(() => session.GenerateAsync(s_request with { ContextFull = ContextFullAction.Shift }))
            .Should().Throw<NotSupportedException>().WithMessage("*mamba*shifted*");

        using MoeModel windowed = MoeModel.Load(TinyModels.GptOss().Path);
        using GenerationSession small = windowed.CreateSession(
            SmallModel.Context(2048) with { KvCache = new KvCacheOptions { FullSizeSwa = false } });
        FluentActions.Invoking(() => small.GenerateAsync(s_request with { ContextFull = ContextFullAction.Shift }))
            .Should().Throw<NotSupportedException>();
    }
}
