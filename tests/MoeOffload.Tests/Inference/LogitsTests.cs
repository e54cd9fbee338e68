using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>Logits of a text's tokens.</summary>
[TestFixture]
public sealed class LogitsTests
{
    private static readonly int[] s_text = [.. Enumerable.Range(300, 40)];

    [Test]
    public async Task Logits_of_the_last_token_say_what_is_generated_next()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        var request = new GenerationRequest
        {
            PromptTokens = s_text,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 1, IgnoreEndOfSequence = true },
            MaxTokens = 1,
        };
        GeneratedToken next = (await SmallModel.Read(session.GenerateAsync(request))).Single();

        float[] logits = (await Read(session, s_text, s_text.Length - 1)).Values.Single();

        Array.IndexOf(logits, logits.Max()).Should().Be(next.Id);
        LogProbability(logits, next.Id).Should().BeApproximately(next.LogProbability, 1e-3);
    }

    [Test]
    public async Task Steps_of_any_size_give_the_same_positions_and_values()
    {
        using GenerationSession single = SmallModel.Shared.CreateSession(SmallModel.Context());
        using GenerationSession all = SmallModel.Shared.CreateSession(SmallModel.Context() with { LogitsPerStep = 64 });
        using GenerationSession some = SmallModel.Shared.CreateSession(SmallModel.Context() with { LogitsPerStep = 7 });

        SortedDictionary<int, float[]> expected = await Read(single, s_text, 10);
        SortedDictionary<int, float[]> whole = await Read(all, s_text, 10);
        SortedDictionary<int, float[]> parts = await Read(some, s_text, 10);

        expected.Keys.Should().Equal(Enumerable.Range(10, 30));
        whole.Keys.Should().Equal(expected.Keys);
        parts.Keys.Should().Equal(expected.Keys);
        foreach (int position in expected.Keys)
        {
            Differ(whole[position], expected[position]).Should().BeLessThan(0.05f);
            Differ(parts[position], expected[position]).Should().BeLessThan(0.05f);
        }

        Differ(expected[10], expected[11]).Should().BeGreaterThan(0.5f, "positions say different things");
    }

    [Test]
    public async Task What_was_computed_is_a_prefix_for_what_comes()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context() with { LogitsPerStep = 64 });

        await Read(session, s_text, 0);
        TokenStream stream = session.GenerateAsync(new GenerationRequest { PromptTokens = [.. s_text, 7], MaxTokens = 1 });
        await SmallModel.Read(stream);

        stream.Statistics!.CachedPromptTokens.Should().Be(s_text.Length);
        (await Read(session, s_text, 0)).Should().HaveCount(s_text.Length, "what is shown is computed anew");
    }

    [Test]
    public async Task Generations_continue_meanwhile_and_take_its_place()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(512, sequences: 2) with { LogitsPerStep = 64 });
        int[] expected = await SmallModel.Greedy(session, "The sea", 24);
        TokenStream stream = session.GenerateAsync("The sea", SamplingOptions.Greedy, 24);
        IAsyncEnumerator<GeneratedToken> running = stream.GetAsyncEnumerator();
        var tokens = new List<int>();
        while (await running.MoveNextAsync())
        {
            tokens.Add(running.Current.Id);
            if (tokens.Count == 4)
            {
                (await Read(session, s_text, 30)).Should().HaveCount(10);
            }
        }

        tokens.Should().Equal(expected);
    }

    [Test]
    public async Task All_sequences_in_use_is_an_error()
    {
        // What is not read of it keeps the sequence, since only so many tokens are generated ahead.
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(4096));
        await using TokenStream stream = session.GenerateAsync(
            new GenerationRequest { PromptTokens = s_text, Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true } });
        IAsyncEnumerator<GeneratedToken> running = stream.GetAsyncEnumerator();
        await running.MoveNextAsync();

        await FluentActions.Awaiting(() => Read(session, s_text, 0)).Should().ThrowAsync<InvalidOperationException>().WithMessage("*SequenceCount*");
    }

    [Test]
    public async Task What_the_reader_throws_is_thrown_and_the_session_goes_on()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());

        await FluentActions.Awaiting(() => session.ReadLogitsAsync(s_text, (_, _) => throw new FormatException("enough")))
            .Should().ThrowAsync<FormatException>().WithMessage("enough");

        (await Read(session, s_text, 35)).Should().HaveCount(5);
    }

    [Test]
    public async Task Cancelling_ends_it_within_a_step()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context());
        using var cancel = new CancellationTokenSource();
        int count = 0;

        Func<Task> read = () => session.ReadLogitsAsync(
            s_text,
            (_, _) =>
            {
                count++;
                cancel.Cancel();
            },
            cancellationToken: cancel.Token);

        await read.Should().ThrowAsync<OperationCanceledException>();
        count.Should().Be(1);
        (await Read(session, s_text, 35)).Should().HaveCount(5);
    }

    [Test]
    public async Task Arguments_out_of_range_are_errors()
    {
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(256));
        using GenerationSession guessing = SmallModel.Shared.CreateSession(SmallModel.Context() with { Speculation = new SpeculationOptions() });

        await FluentActions.Awaiting(() => Read(session, [], 0)).Should().ThrowAsync<ArgumentException>();
        await FluentActions.Awaiting(() => Read(session, [-1], 0)).Should().ThrowAsync<ArgumentException>().WithMessage("*vocabulary*");
        await FluentActions.Awaiting(() => Read(session, s_text, s_text.Length)).Should().ThrowAsync<ArgumentOutOfRangeException>();
        await FluentActions.Awaiting(() => Read(session, new int[257], 0)).Should().ThrowAsync<ContextFullException>();
        await FluentActions.Awaiting(() => Read(guessing, s_text, 0)).Should().ThrowAsync<InvalidOperationException>().WithMessage("*Speculation*");
        FluentActions.Invoking(() => SmallModel.Shared.CreateSession(SmallModel.Context() with { LogitsPerStep = 0 }))
            .Should().Throw<ArgumentOutOfRangeException>();
        session.Dispose();
        await FluentActions.Awaiting(() => Read(session, s_text, 0)).Should().ThrowAsync<ObjectDisposedException>();
    }

    private static async Task<SortedDictionary<int, float[]>> Read(GenerationSession session, int[] tokens, int start)
    {
        var all = new SortedDictionary<int, float[]>();
        await session.ReadLogitsAsync(tokens, (position, logits) => all.Add(position, logits.ToArray()), start);
        return all;
    }

    private static float Differ(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private static double LogProbability(float[] logits, int token)
    {
        double largest = logits.Max();
        return logits[token] - largest - Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
    }
}
