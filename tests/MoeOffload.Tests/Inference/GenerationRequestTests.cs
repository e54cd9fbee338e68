using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Checks the validation of requests, and how their limits end them.</summary>
[TestFixture]
public sealed class GenerationRequestTests
{
    private GenerationSession _session = null!;

    public static IEnumerable<TestCaseData> Wrong()
    {
        GenerationRequest request = new() { Prompt = "To be" };
        yield return new(nameof(GenerationRequest.MaxTokens), request with { MaxTokens = 0 });
        yield return new(nameof(GenerationRequest.MaxTokens), request with { MaxTokens = -1 });
        yield return new(nameof(GenerationRequest.MaxTokens), request with { MaxTokens = int.MinValue });
        yield return new(nameof(GenerationRequest.Deadline), request with { Deadline = TimeSpan.Zero });
        yield return new(nameof(GenerationRequest.Deadline), request with { Deadline = Timeout.InfiniteTimeSpan });
        yield return new(nameof(GenerationRequest.ContextFull), request with { ContextFull = (ContextFullAction)3 });
        yield return new(nameof(GenerationRequest.KeepTokens), request with { KeepTokens = -1 });
        yield return new(nameof(GenerationRequest.KeepTokens), request with { ContextFull = ContextFullAction.Shift, KeepTokens = 255 });
        yield return new(nameof(GenerationRequest.StopStrings), request with { StopStrings = ["a", ""] });
        yield return new(nameof(GenerationRequest.StopStrings), request with { StopStrings = [null!] });
        foreach (int token in (int[])[-1, int.MinValue, int.MaxValue, SmallModel.File.Options.VocabularySize])
        {
            yield return new(nameof(GenerationRequest.PromptTokens), request with { PromptTokens = [1, token] });
        }
    }

    [SetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SmallModel.Context());

    [TearDown]
    public void DisposeSession() => _session.Dispose();

    [TestCaseSource(nameof(Wrong))]
    public async Task Wrong_request_names_what_is_wrong(string name, GenerationRequest request) =>
        (await FluentActions.Awaiting(() => _session.GenerateAsync(request).StartAsync()).Should().ThrowAsync<ArgumentException>())
            .Which.ParamName.Should().Be(name);

    [Test]
    public void GenerateAsync_without_a_request_says_so() =>
        FluentActions.Invoking(() => _session.GenerateAsync((GenerationRequest)null!)).Should().Throw<ArgumentNullException>();

    [Test]
    public async Task Reading_a_request_with_a_prompt_of_no_tokens_says_so()
    {
        await FluentActions.Awaiting(() => SmallModel.Read(_session.GenerateAsync(new GenerationRequest { PromptTokens = [] })))
            .Should().ThrowAsync<ArgumentException>().WithMessage("*no token*");
        await FluentActions.Awaiting(() => SmallModel.Read(_session.GenerateAsync(string.Empty)))
            .Should().ThrowAsync<ArgumentException>("this vocabulary begins no text with a token of its own").WithMessage("*no token*");
    }

    [Test]
    public async Task Reading_a_request_with_a_prompt_longer_than_the_context_gives_both_lengths() =>
        await FluentActions.Awaiting(() => SmallModel.Read(_session.GenerateAsync(new GenerationRequest { PromptTokens = new int[257] })))
            .Should().ThrowAsync<ContextFullException>().WithMessage("*257 tokens*256 per sequence*");

    [Test]
    public async Task Generation_from_a_prompt_that_fills_the_context_yields_one_token()
    {
        List<GeneratedToken> tokens = await SmallModel.Read(
            _session.GenerateAsync(new GenerationRequest { PromptTokens = [.. Enumerable.Repeat(7, 256)], Sampling = SamplingOptions.Greedy }));
        tokens.Should().ContainSingle().Which.StopReason.Should().Be(StopReason.ContextFull);
    }

    [Test]
    public async Task Generation_without_a_limit_ends_with_the_context()
    {
        TokenStream stream = _session.GenerateAsync("To be", SamplingOptions.Greedy, int.MaxValue);
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        tokens[^1].StopReason.Should().Be(StopReason.ContextFull);
        tokens.SkipLast(1).Should().NotContain(token => token.StopReason != null);
        stream.StopReason.Should().Be(StopReason.ContextFull);
        tokens.Should().HaveCount(256 - stream.Statistics!.PromptTokens + 1, "the last token need not be in the context");
    }

    [TestCase(1)]
    [TestCase(17)]
    public async Task Generation_with_a_limit_ends_there_and_counts(int count)
    {
        TokenStream stream = _session.GenerateAsync("To be or not", SamplingOptions.Greedy, count);
        stream.Statistics.Should().BeNull();
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        tokens.Should().HaveCount(count);
        tokens[^1].StopReason.Should().Be(StopReason.MaxTokens);

        GenerationStatistics statistics = stream.Statistics!;
        statistics.PromptTokens.Should().Be(SmallModel.Shared.Vocabulary.Tokenize("To be or not").Length);
        statistics.GeneratedTokens.Should().Be(count);
        statistics.TimeToFirstToken.Should().BePositive();
        (statistics.DecodeTime > TimeSpan.Zero).Should().Be(count > 1);
        (statistics.TokensPerSecond > 0).Should().Be(count > 1);
    }

    [Test]
    public async Task First_token_of_a_device_comes_when_the_device_has_computed_it()
    {
        using SecondDevice device = SecondDevice.Start();
        using MoeModel model = MoeModel.Load(DemoModel.Path, device.Options);
        using GenerationSession session = model.CreateSession(new ContextOptions { ContextLength = 512 });
        TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(256, 500)],
            MaxTokens = 1,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
        });
        TimeSpan before = device.Server.ProcessorTime;
        await SmallModel.Read(stream);

        // The device has one thread. On a busy machine, the wait is longer than its computation, and it is never much shorter.
        stream.Statistics!.TimeToFirstToken.Should().BeGreaterThan((device.Server.ProcessorTime - before) / 2);
    }

    [Test]
    public async Task Generation_from_tokens_equals_that_from_their_text()
    {
        int[] prompt = SmallModel.Shared.Vocabulary.Tokenize("To be or not");
        List<GeneratedToken> tokens = await SmallModel.Read(
            _session.GenerateAsync(new GenerationRequest { PromptTokens = prompt, Sampling = SamplingOptions.Greedy, MaxTokens = 8 }));
        tokens.Select(token => token.Id).Should().Equal(await SmallModel.Greedy(_session, "To be or not", 8));
    }

    [Test]
    public async Task Generation_in_many_small_batches_equals_that_in_one()
    {
        const string Prompt = "Shall I compare thee to a summer's day? Thou art more lovely and more temperate";
        int[] whole = await SmallModel.Greedy(_session, Prompt, 16);
        using GenerationSession small = SmallModel.Shared.CreateSession(SmallModel.Context() with { BatchSize = 5, MicroBatchSize = 3 });
        (await SmallModel.Greedy(small, Prompt, 16)).Should().Equal(whole);
    }

    [Test]
    public async Task Temperature_0_takes_the_most_probable_token_however_the_choice_is_narrowed()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        int[] expected = await SmallModel.Greedy(session, "To be", 20);

        foreach (SamplingOptions options in new SamplingOptions[]
        {
            new() { Temperature = 0 },
            new() { Temperature = 0, TopNSigma = 2, TopK = 3, TypicalP = 1, MinKeep = 2 },
            new() { Samplers = [new TopKSampler(5), new TemperatureSampler(0.5f), new TopPSampler(0.5f), new TemperatureSampler(0), new DistributionSampler()] },
        })
        {
            List<GeneratedToken> tokens = await SmallModel.Read(session.GenerateAsync("To be", options, 20));
            tokens.Select(token => token.Id).Should().Equal(expected);
        }
    }

    [Test]
    public async Task Statistics_of_a_text_add_up_with_its_tokens()
    {
        List<GeneratedToken> tokens = await SmallModel.Read(_session.GenerateAsync("The", SamplingOptions.Greedy, 64));
        string whole = SmallModel.Shared.Vocabulary.Detokenize([.. tokens.Select(token => token.Id)]);
        SmallModel.Text(tokens).Should().Be(whole);
    }
}
