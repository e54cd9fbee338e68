using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Inference.Preparation;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Requests are prepared on threads of their own: what may overtake them, and how they end meanwhile.</summary>
[TestFixture]
public sealed class PreparationTests
{
    // Longer than an input that others may wait for.
    private const int Long = PreparationQueue.ShortLength + 1;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    // Together they are long, and each fits into a small context.
    private static readonly IReadOnlyList<int>[] s_others = [.. Enumerable.Repeat(new int[250], (Long / 250) + 1)];

    private readonly List<GatedTokens> _gated = [];
    private GenerationSession _session = null!;

    [SetUp]
    public void MakeSession() => _session = SmallModel.Shared.CreateSession(SmallModel.Context(4 * 8192, sequences: 4));

    [TearDown]
    public void DisposeSession()
    {
        _gated.ForEach(tokens => tokens.Open());
        _gated.Clear();
        _session.Dispose();
    }

    [Test]
    public async Task Short_requests_are_answered_while_long_ones_are_prepared_on_at_most_two_threads()
    {
        GatedTokens[] prompts = [.. Enumerable.Range(0, 4).Select(_ => Gated())];
        TokenStream[] streams = [.. prompts.Select(prompt => _session.GenerateAsync(Request(prompt)))];
        foreach (TokenStream stream in streams)
        {
            stream.TryRead(out _).Should().BeFalse();
        }

        prompts[0].WaitUntilReached().Should().BeTrue();
        prompts[1].WaitUntilReached().Should().BeTrue();
        (await SmallModel.Greedy(_session, "Hi", 3)).Should().HaveCount(3);
        prompts.Skip(PreparationQueue.LongLimit).Should().OnlyContain(prompt => !prompt.IsReached);
        streams.Should().OnlyContain(stream => stream.PromptTokenCount == 0 && !stream.IsCompleted);

        Array.ForEach(prompts, prompt => prompt.Open());
        List<GeneratedToken>[] all = await Task.WhenAll(streams.Select(SmallModel.Read)).WaitAsync(s_patience);
        all.Should().OnlyContain(tokens => tokens.Count == 1);
        streams.Should().OnlyContain(stream => stream.PromptTokenCount == Long && stream.Statistics!.PromptTokens == Long);
    }

    [Test]
    public async Task Generations_go_on_while_a_short_request_takes_long_to_be_prepared()
    {
        await using TokenStream running = _session.GenerateAsync("To be", SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, 200);
        await running.StartAsync();
        GatedTokens prompt = Gated(count: 3);
        TokenStream stream = _session.GenerateAsync(Request(prompt));
        stream.TryRead(out _).Should().BeFalse();
        prompt.WaitUntilReached().Should().BeTrue();

        (await SmallModel.Read(running).WaitAsync(s_patience)).Should().HaveCount(200);
        stream.IsCompleted.Should().BeFalse();
        prompt.Open();
        (await SmallModel.Read(stream).WaitAsync(s_patience)).Should().HaveCount(1);
    }

    [Test]
    public async Task Requests_that_are_prepared_get_their_places_in_the_order_of_arrival()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(8192));
        await using TokenStream blocking = session.GenerateAsync("To be", SamplingOptions.Greedy with { IgnoreEndOfSequence = true });
        await blocking.StartAsync();
        GatedTokens prompt = Gated();
        TokenStream first = session.GenerateAsync(Request(prompt));
        first.TryRead(out _).Should().BeFalse();
        TokenStream second = session.GenerateAsync("Hi", SamplingOptions.Greedy, 1);
        await second.StartAsync();
        prompt.Open();
        await first.StartAsync();

        await blocking.DisposeAsync();
        (await SmallModel.Read(second).WaitAsync(s_patience)).Should().HaveCount(1);
        first.StopReason.Should().Be(StopReason.MaxTokens, "there is one place, and it came first");
    }

    [Test]
    public async Task Request_that_is_cancelled_while_it_is_prepared_ends_at_once()
    {
        using var cancellation = new CancellationTokenSource();
        GatedTokens prompt = Gated();
        TokenStream stream = _session.GenerateAsync(Request(prompt), cancellation.Token);
        Task reading = SmallModel.Read(stream);
        prompt.WaitUntilReached().Should().BeTrue();
        _session.Statistics.QueuedCount.Should().Be(1);

        await cancellation.CancelAsync();
        (await FluentActions.Awaiting(() => reading.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(cancellation.Token);
        _session.Statistics.QueuedCount.Should().Be(0);
        stream.IsCompleted.Should().BeTrue();
        await IsUsable();
    }

    [Test]
    public async Task Start_that_is_cancelled_ends_the_generation()
    {
        using var cancellation = new CancellationTokenSource();
        GatedTokens prompt = Gated();
        TokenStream stream = _session.GenerateAsync(Request(prompt));
        Task starting = stream.StartAsync(cancellation.Token);
        prompt.WaitUntilReached().Should().BeTrue();

        await cancellation.CancelAsync();
        (await FluentActions.Awaiting(() => starting.WaitAsync(s_patience)).Should().ThrowAsync<OperationCanceledException>())
            .Which.CancellationToken.Should().Be(cancellation.Token);
        await IsUsable();
    }

    [Test]
    public async Task Request_whose_deadline_passes_while_it_is_prepared_ends_with_it()
    {
        TokenStream stream = _session.GenerateAsync(Request(Gated()) with { Deadline = TimeSpan.FromMilliseconds(50) });
        (await SmallModel.Read(stream).WaitAsync(s_patience)).Should().BeEmpty();
        stream.StopReason.Should().Be(StopReason.Deadline);
        stream.Statistics!.PromptTokens.Should().Be(0);
        stream.Statistics.QueueTime.Should().BeGreaterThanOrEqualTo(TimeSpan.FromMilliseconds(50));
        await IsUsable();
    }

    [Test]
    public async Task Session_and_model_that_are_disposed_while_a_request_is_prepared_do_not_wait_for_it_and_free_nothing_under_it()
    {
        MoeModel model = MoeModel.Load(SmallModel.File.Path);
        GenerationSession session = model.CreateSession(SmallModel.Context(8192));
        GatedTokens prompt = Gated();
        TokenStream stream = session.GenerateAsync(Request(prompt) with { Sampling = new SamplingOptions { Grammar = "root ::= \"a\"*" } });
        Task starting = stream.StartAsync();
        prompt.WaitUntilReached().Should().BeTrue();

        await session.DisposeAsync().AsTask().WaitAsync(s_patience);
        model.Dispose();
        await FluentActions.Awaiting(() => starting.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
        FluentActions.Invoking(() => stream.TryRead(out _)).Should().Throw<ObjectDisposedException>();
        model.Native.Handle.IsClosed.Should().BeFalse("the preparation uses it");

        prompt.Open();
        SpinWait.SpinUntil(() => model.Native.Handle.IsClosed, s_patience).Should().BeTrue();
    }

    [Test]
    public async Task Stream_that_is_disposed_while_it_is_prepared_gives_its_place_back()
    {
        GatedTokens prompt = Gated();
        TokenStream stream = _session.GenerateAsync(Request(prompt));
        stream.TryRead(out _).Should().BeFalse();
        prompt.WaitUntilReached().Should().BeTrue();

        await stream.DisposeAsync().AsTask().WaitAsync(s_patience);
        _session.Statistics.QueuedCount.Should().Be(0);
        FluentActions.Invoking(() => stream.TryRead(out _)).Should().Throw<ObjectDisposedException>();
        await IsUsable();
    }

    [Test]
    public void Reading_a_request_that_is_prepared_allocates_nothing()
    {
        GatedTokens prompt = Gated();
        using TokenStream stream = _session.GenerateAsync(Request(prompt));
        stream.TryRead(out _).Should().BeFalse();
        prompt.WaitUntilReached().Should().BeTrue();

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool isRead = false;
        for (int i = 0; i < 1000; i++)
        {
            isRead |= stream.TryRead(out _) || stream.IsCompleted || stream.PromptTokenCount > 0;
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
        isRead.Should().BeFalse();
    }

    [Test]
    public void Request_that_cannot_be_prepared_is_told_to_a_reader_that_does_not_wait()
    {
        using TokenStream stream = _session.GenerateAsync("To be", new SamplingOptions { Grammar = "root ::= (" });
        FluentActions.Invoking(() => SpinWait.SpinUntil(() => stream.TryRead(out _), s_patience))
            .Should().Throw<ArgumentException>().Which.ParamName.Should().Be(nameof(SamplingOptions.Grammar));
        stream.IsCompleted.Should().BeTrue();
        stream.StopReason.Should().BeNull();
        stream.PromptTokenCount.Should().Be(0);
        _session.Statistics.QueuedCount.Should().Be(0);
    }

    [Test]
    public async Task List_that_cannot_be_read_fails_its_own_request_alone()
    {
        var broken = new BrokenList();
        await FluentActions.Awaiting(() => SmallModel.Read(_session.GenerateAsync(new GenerationRequest { PromptTokens = broken })))
            .Should().ThrowAsync<FormatException>().WithMessage("broken");
        await IsUsable();
    }

    [Test]
    public async Task Texts_of_an_embedder_are_tokenized_in_parallel_with_shorter_later_ones()
    {
        await using Embedder embedder = SmallModel.Shared.CreateEmbedder(
            new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Mean, Threads = { Prompt = 1 } });
        GatedTokens text = Gated(200);
        Task<IReadOnlyList<TextEmbedding>> slow = embedder.EmbedAsync([text, .. s_others]);
        text.WaitUntilReached().Should().BeTrue();
        (await embedder.EmbedAsync("Hi").WaitAsync(s_patience)).TokenCount.Should().BePositive();
        slow.IsCompleted.Should().BeFalse();

        text.Open();
        (await slow.WaitAsync(s_patience)).Select(embedding => embedding.TokenCount).Should().Equal([200, .. s_others.Select(other => other.Count)]);
    }

    [Test]
    public async Task Embedder_that_is_disposed_while_texts_are_tokenized_does_not_wait_for_them()
    {
        Embedder embedder = SmallModel.Shared.CreateEmbedder(
            new EmbeddingOptions { ContextLength = 256, Pooling = EmbeddingPooling.Mean, Threads = { Prompt = 1 } });
        GatedTokens text = Gated(200);
        Task<IReadOnlyList<TextEmbedding>> slow = embedder.EmbedAsync([text, .. s_others]);
        text.WaitUntilReached().Should().BeTrue();
        await embedder.DisposeAsync().AsTask().WaitAsync(s_patience);
        await FluentActions.Awaiting(() => slow.WaitAsync(s_patience)).Should().ThrowAsync<ObjectDisposedException>();
    }

    private static GenerationRequest Request(IReadOnlyList<int> prompt) =>
        new() { PromptTokens = prompt, Sampling = SamplingOptions.Greedy, MaxTokens = 1 };

    private GatedTokens Gated(int count = Long)
    {
        var tokens = new GatedTokens(count);
        _gated.Add(tokens);
        return tokens;
    }

    private async Task IsUsable() => (await SmallModel.Greedy(_session, "To be", 3)).Should().HaveCount(3);

    private sealed class BrokenList : IReadOnlyList<int>
    {
        public int Count => throw new FormatException("broken");

        public int this[int index] => throw new FormatException("broken");

        public IEnumerator<int> GetEnumerator() => throw new FormatException("broken");

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
