using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

/// <summary>The cached sequences of a session can be saved and loaded. A state that is damaged or does not match is rejected.</summary>
[TestFixture]
public sealed class StateTests
{
    private static readonly int[] s_prompt = [.. Enumerable.Range(100, 120)];

    public static IEnumerable<TestCaseData> Caches()
    {
        yield return new(TinyModels.Qwen3Moe(), new KvCacheOptions());
        yield return new(TinyModels.Qwen3Moe(), new KvCacheOptions { Unified = true });
        yield return new(TinyModels.Qwen3Moe(), new KvCacheOptions { KeyType = GgmlType.Q8_0, ValueType = GgmlType.Q8_0 });
        yield return new(TinyModels.GptOss(), new KvCacheOptions());
        yield return new(TinyModels.GptOss(), new KvCacheOptions { FullSizeSwa = false });
        yield return new(TinyModels.Mamba(), new KvCacheOptions());
    }

    [TestCaseSource(nameof(Caches))]
    public async Task State_that_is_loaded_by_another_session_goes_on_as_the_first(TinyModel file, KvCacheOptions cache)
    {
        using MoeModel model = MoeModel.Load(file.Path);
        ContextOptions options = SmallModel.Context(1024, sequences: 2) with { KvCache = cache };
        using var state = new MemoryStream();
        int[] next;
        GreedyText expected;
        using (GenerationSession first = model.CreateSession(options))
        {
            GreedyText answer = await GreedyText.Of(first, s_prompt, 10);
            (await first.SaveStateAsync(state)).Should().Be(s_prompt.Length + 9);
            next = [.. s_prompt, .. answer.Tokens[..^1], 30, 31];
            expected = await GreedyText.Of(first, next, 20);
        }

        state.Position = 0;
        using GenerationSession second = model.CreateSession(options);
        (await second.LoadStateAsync(state)).Should().Be(s_prompt.Length + 9);
        GreedyText found = await GreedyText.Of(second, next, 20);
        found.Statistics!.CachedPromptTokens.Should().Be(s_prompt.Length + 9);
        found.ShouldBeThatOf(expected);
    }

    [Test]
    public async Task State_of_one_prompt_is_saved_to_a_file_and_loaded_while_a_stream_runs()
    {
        string path = TinyModels.NewPath("state");
        using GenerationSession first = SmallModel.Shared.CreateSession(SmallModel.Context(4096, sequences: 3));
        await using TokenStream steady = first.GenerateAsync("To be", SamplingOptions.Greedy with { IgnoreEndOfSequence = true });
        steady.TryRead(out _);
        await GreedyText.Of(first, [7, 8, 9, .. s_prompt], 2);
        await GreedyText.Of(first, s_prompt, 2);
        (await first.SaveStateAsync(path, s_prompt)).Should().Be(s_prompt.Length + 1);

        using GenerationSession second = SmallModel.Shared.CreateSession(SmallModel.Context(4096, sequences: 3));
        await using TokenStream other = second.GenerateAsync("To be", SamplingOptions.Greedy with { IgnoreEndOfSequence = true });
        other.TryRead(out _);
        (await second.LoadStateAsync(path)).Should().Be(s_prompt.Length + 1);
        (await GreedyText.Of(second, s_prompt, 2)).Statistics!.CachedPromptTokens.Should().Be(s_prompt.Length - 1);
    }

    [Test]
    public async Task State_with_more_sequences_than_places_gives_the_last_used_ones()
    {
        using var state = new MemoryStream();
        using (GenerationSession first = SmallModel.Shared.CreateSession(
            SmallModel.Context(1024) with { PrefixCache = new PrefixCacheOptions { HostBytes = 1 << 24 } }))
        {
            for (int i = 0; i < 3; i++)
            {
                await GreedyText.Of(first, [10 + i, .. s_prompt], 2);
            }

            (await first.SaveStateAsync(state)).Should().Be(3 * (s_prompt.Length + 2));
        }

        state.Position = 0;
        using GenerationSession second = SmallModel.Shared.CreateSession(SmallModel.Context(1024));
        (await second.LoadStateAsync(state)).Should().Be(s_prompt.Length + 2);
        (await GreedyText.Of(second, [12, .. s_prompt], 2)).Statistics!.CachedPromptTokens.Should().Be(s_prompt.Length);
    }

    [Test]
    public async Task State_of_another_model_context_or_version_is_refused_with_what_differs()
    {
        ContextOptions options = SmallModel.Context(1024);
        byte[] state = await Save(SmallModel.Shared, options);
        TinyModelOptions file = SmallModel.File.Options;
        using MoeModel other = MoeModel.Load(TinyModels.Qwen3Moe(file with { Seed = 7 }).Path);
        using GenerationSession otherModel = other.CreateSession(options);
        await Refused(otherModel, state, "*'model *");
        using MoeModel architecture = MoeModel.Load(TinyModels.Olmoe().Path);
        using GenerationSession otherArchitecture = architecture.CreateSession(options);
        await Refused(otherArchitecture, state, "*architecture qwen3moe*architecture olmoe*");
        using GenerationSession otherTypes = SmallModel.Shared.CreateSession(options with { KvCache = new KvCacheOptions { KeyType = GgmlType.Q8_0 } });
        await Refused(otherTypes, state, "*type of keys F16*type of keys Q8_0*");
        using GenerationSession otherParts = SmallModel.Shared.CreateSession(options with { SequenceCount = 2 });
        await Refused(otherParts, state, "*parts of the KV cache 1*parts of the KV cache 2*");
        using GenerationSession otherRope = SmallModel.Shared.CreateSession(options with { Rope = new RopeOptions { FrequencyBase = 5000 } });
        await Refused(otherRope, state, "*rope*5000*");

        using GenerationSession same = SmallModel.Shared.CreateSession(options);
        byte[] version = [.. state];
        version[8] = 99;
        await Refused(same, version, "*version 99*");
        byte[] native = [.. state];
        native["MOESTATE".Length + 8 + "llama.cpp ".Length] = (byte)'9';
        await Refused(same, native, "*llama.cpp 9*");
        using var good = new MemoryStream(state);
        (await same.LoadStateAsync(good)).Should().BePositive("what was refused has done no harm");
    }

    [Test]
    public async Task State_that_is_cut_short_or_has_a_wrong_byte_anywhere_is_refused()
    {
        ContextOptions options = SmallModel.Context(1024);
        byte[] state = await Save(SmallModel.Shared, options);
        using GenerationSession session = SmallModel.Shared.CreateSession(options);
        foreach (int length in (int[])[0, 1, 7, 8, 11, 12, 15, 100, state.Length / 2, state.Length - 33, state.Length - 1])
        {
            await Refused(session, state[..length], "*truncated*");
        }

        var random = new Random(1);
        int[] positions = [.. Enumerable.Range(0, 600), .. Enumerable.Range(0, 100).Select(_ => random.Next(state.Length)), state.Length - 1];
        foreach (int position in positions)
        {
            byte[] damaged = [.. state];
            damaged[position] ^= (byte)(1 << random.Next(8));
            await Refused(session, damaged, "*");
        }

        await Refused(session, new byte[4096], "*not a state*");
        session.Statistics.PrefixCacheTokens.Should().Be(0);
        (await GreedyText.Of(session, s_prompt, 3)).Tokens.Should().HaveCount(3);
    }

    [Test]
    public async Task State_of_a_sequence_longer_than_the_context_is_refused()
    {
        byte[] state = await Save(SmallModel.Shared, SmallModel.Context(1024), new int[700]);
        using GenerationSession session = SmallModel.Shared.CreateSession(SmallModel.Context(512));
        await Refused(session, state, "*701 tokens*512*ContextLength*");
    }

    [Test]
    public async Task State_without_a_prefix_cache_or_of_a_disposed_session_is_refused()
    {
        GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context() with { PrefixCache = new PrefixCacheOptions { Enabled = false } });
        using var stream = new MemoryStream();
        await FluentActions.Awaiting(() => session.SaveStateAsync(stream)).Should().ThrowAsync<InvalidOperationException>();
        await FluentActions.Awaiting(() => session.LoadStateAsync(stream)).Should().ThrowAsync<InvalidOperationException>();
        session.Dispose();
        await FluentActions.Awaiting(() => session.SaveStateAsync(stream)).Should().ThrowAsync<ObjectDisposedException>();
        await FluentActions.Awaiting(() => session.LoadStateAsync(stream)).Should().ThrowAsync<ObjectDisposedException>();
    }

    [TestCase(false, false, typeof(InvalidOperationException), TestName = "Saving_without_a_prefix_cache_leaves_the_file_as_it_was")]
    [TestCase(true, true, typeof(OperationCanceledException), TestName = "Saving_that_is_cancelled_leaves_the_file_as_it_was")]
    public async Task Saving_that_fails_leaves_the_file_as_it_was(bool hasCache, bool isCancelled, Type failure)
    {
        string path = Path.Combine(Directory.CreateDirectory(TinyModels.NewPath("states")).FullName, "state");
        await File.WriteAllTextAsync(path, "old");
        using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context() with { PrefixCache = new PrefixCacheOptions { Enabled = hasCache } });
        await GreedyText.Of(session, s_prompt, 2);

        (await FluentActions.Awaiting(() => session.SaveStateAsync(path, cancellationToken: new CancellationToken(isCancelled))).Should().ThrowAsync<Exception>())
            .Which.Should().BeAssignableTo(failure);

        (await File.ReadAllTextAsync(path)).Should().Be("old");
        Directory.GetFiles(Path.GetDirectoryName(path)!).Should().Equal(path);
    }

    [Test]
    public async Task Saving_that_is_refused_makes_no_file()
    {
        string folder = Directory.CreateDirectory(TinyModels.NewPath("states")).FullName;
        using GenerationSession session = SmallModel.Shared.CreateSession(
            SmallModel.Context() with { PrefixCache = new PrefixCacheOptions { Enabled = false } });

        await FluentActions.Awaiting(() => session.SaveStateAsync(Path.Combine(folder, "state"))).Should().ThrowAsync<InvalidOperationException>();

        Directory.GetFiles(folder).Should().BeEmpty();
    }

    private static async Task<byte[]> Save(MoeModel model, ContextOptions options, int[]? prompt = null)
    {
        using GenerationSession session = model.CreateSession(options);
        await GreedyText.Of(session, prompt ?? s_prompt, 2);
        using var state = new MemoryStream();
        await session.SaveStateAsync(state);
        return state.ToArray();
    }

    private static async Task Refused(GenerationSession session, byte[] state, string message)
    {
        using var stream = new MemoryStream(state);
        await FluentActions.Awaiting(() => session.LoadStateAsync(stream)).Should().ThrowAsync<StateFormatException>().WithMessage(message);
    }
}
