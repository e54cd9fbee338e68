using System.Diagnostics;
using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Inference;

[TestFixture]
public sealed class EmbedderTests
{
    // Computed with others, matrices are multiplied in other blocks, with F16 in between.
    private const float Rounding = 0.01f;

    private const string Text = "To be, or not to be, that is the question";

    private static readonly EmbeddingOptions s_options = new()
    {
        Pooling = EmbeddingPooling.Mean,
        ContextLength = 256,
        Threads = { Prompt = 1, Decode = 1 },
    };

    // Dense: where experts are chosen, rounding may choose another.
    private static readonly TinyModel s_file = TinyModels.Llama();

    private MoeModel _model = null!;

    [OneTimeSetUp]
    public void LoadModel() => _model = MoeModel.Load(s_file.Path);

    [OneTimeTearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public async Task Texts_that_are_computed_together_get_what_they_get_alone()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        string[] texts = [.. Enumerable.Range(0, 70).Select(i => $"{i}: {Text[..(i % Text.Length)]}")];
        IReadOnlyList<TextEmbedding> together = await embedder.EmbedAsync(texts);
        for (int i = 0; i < texts.Length; i++)
        {
            TextEmbedding alone = await embedder.EmbedAsync(texts[i]);
            Vectors.Difference(together[i], alone).Should().BeLessThan(Rounding);
            together[i].TokenCount.Should().Be(_model.Vocabulary.Tokenize(texts[i]).Length);
        }
    }

    [TestCase(EmbeddingPooling.Mean)]
    [TestCase(EmbeddingPooling.Cls)]
    [TestCase(EmbeddingPooling.Last)]
    public async Task Text_longer_than_a_batch_is_computed_in_parts(EmbeddingPooling pooling)
    {
        string text = string.Join(' ', Enumerable.Repeat(Text, 6));
        await using Embedder whole = _model.CreateEmbedder(s_options with { Pooling = pooling });
        await using Embedder parts = _model.CreateEmbedder(s_options with { Pooling = pooling, BatchSize = 32 });
        parts.BatchSize.Should().Be(32);
        IReadOnlyList<TextEmbedding> embeddings = await parts.EmbedAsync(["a", text, Text]);
        embeddings[1].TokenCount.Should().BeGreaterThan(64);
        Vectors.Difference(embeddings[0], await whole.EmbedAsync("a")).Should().BeLessThan(Rounding);
        Vectors.Difference(embeddings[1], await whole.EmbedAsync(text)).Should().BeLessThan(Rounding);
        Vectors.Difference(embeddings[2], await whole.EmbedAsync(Text)).Should().BeLessThan(Rounding);
    }

    [Test]
    public async Task Tokens_pooled_by_hand_are_the_texts_embedding()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options with { Normalize = false });
        TokenEmbeddings tokens = await embedder.EmbedTokensAsync(Text);
        tokens.Tokens.Should().Equal(_model.Vocabulary.Tokenize(Text, parseSpecial: true));
        tokens.Dimension.Should().Be(embedder.Dimension).And.Be(_model.Info.EmbeddingLength);
        float[] mean = [.. Enumerable.Range(0, tokens.Dimension).Select(i => Enumerable.Range(0, tokens.Tokens.Count).Average(t => tokens[t].Span[i]))];

        TextEmbedding text = await embedder.EmbedAsync(Text);
        Vectors.Difference(mean, text.Vector.Span).Should().BeLessThan(Rounding);
        Vectors.Length(text.Vector.Span).Should().NotBeApproximately(1, 1e-3f);
        tokens.Invoking(it => it[it.Tokens.Count]).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public async Task Embedding_of_a_text_has_the_length_1_by_default()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        Vectors.Length((await embedder.EmbedAsync(Text)).Vector.Span).Should().BeApproximately(1, 1e-5f);
    }

    [Test]
    public async Task Text_as_tokens_gets_what_the_text_gets()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        TextEmbedding ofTokens = (await embedder.EmbedAsync([_model.Vocabulary.Tokenize(Text)]))[0];
        Vectors.Difference(ofTokens, await embedder.EmbedAsync(Text)).Should().BeLessThan(Rounding);
    }

    [TestCase(3u, EmbeddingPooling.Last)]
    [TestCase(2u, EmbeddingPooling.Cls)]
    public async Task Pooling_is_the_models_own_by_default(uint own, EmbeddingPooling expected)
    {
        using MoeModel model = MoeModel.Load(AlteredModels.Alter(s_file, writer => writer.Set("llama.pooling_type", own)));
        await using Embedder byDefault = model.CreateEmbedder(s_options with { Pooling = null });
        byDefault.Pooling.Should().Be(expected);
        await using Embedder asked = _model.CreateEmbedder(s_options with { Pooling = expected });
        Vectors.Difference(await byDefault.EmbedAsync(Text), await asked.EmbedAsync(Text)).Should().BeLessThan(Rounding);
    }

    [TestCase(0u)]
    [TestCase(4u)]
    public async Task Model_without_a_pooling_of_its_own_is_asked_for_one(uint own)
    {
        using MoeModel model = MoeModel.Load(AlteredModels.Alter(s_file, writer => writer.Set("llama.pooling_type", own)));
        await using Embedder embedder = model.CreateEmbedder(s_options with { Pooling = null });
        embedder.Invoking(it => { _ = it.EmbedAsync(Text); }).Should().Throw<InvalidOperationException>().WithMessage("*EmbeddingOptions.Pooling*");
        (await embedder.EmbedTokensAsync(Text)).Tokens.Should().NotBeEmpty();
    }

    [Test]
    public async Task Texts_that_cannot_be_computed_are_refused()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        embedder.Invoking(it => { _ = it.EmbedAsync((string)null!); }).Should().Throw<ArgumentNullException>();
        await embedder.Awaiting(it => it.EmbedAsync(["a", null!])).Should().ThrowAsync<ArgumentNullException>();
        await embedder.Awaiting(it => it.EmbedAsync([Array.Empty<int>()])).Should().ThrowAsync<ArgumentException>().WithMessage("*no token*");
        await embedder.Awaiting(it => it.EmbedAsync([(int[])[1, -1]])).Should().ThrowAsync<ArgumentException>().WithMessage("*-1*");
        await embedder.Awaiting(it => it.EmbedAsync([(int[])[_model.Vocabulary.Size]])).Should().ThrowAsync<ArgumentException>();
        await embedder.Awaiting(it => it.EmbedAsync([new int[257]])).Should().ThrowAsync<ContextFullException>().WithMessage("*257*256*");
        (await embedder.EmbedAsync([new int[256]])).Should().HaveCount(1);
        (await embedder.EmbedAsync(Array.Empty<string>())).Should().BeEmpty();
    }

    [Test]
    public void Options_outside_their_ranges_are_refused()
    {
        Refused(new EmbeddingOptions { ContextLength = -1 });
        Refused(new EmbeddingOptions { ContextLength = _model.Info.TrainedContextLength + 1 });
        Refused(new EmbeddingOptions { BatchSize = 0 });
        Refused(new EmbeddingOptions { SequenceCount = 257 });
        Refused(new EmbeddingOptions { Pooling = (EmbeddingPooling)9 });
        Refused(new EmbeddingOptions { Threads = { Prompt = 0 } });

        void Refused(EmbeddingOptions options) =>
            _model.Invoking(model => model.CreateEmbedder(options)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Test]
    public async Task Encoder_embeds_texts_as_long_as_its_context_and_continues_none()
    {
        using MoeModel model = MoeModel.Load(TinyModels.Bert(new TinyModelOptions { ContextLength = 600 }).Path);
        model.Invoking(it => it.CreateSession()).Should().Throw<NotSupportedException>().WithMessage("*CreateEmbedder*");
        await using Embedder embedder = model.CreateEmbedder();
        embedder.MaxTokens.Should().Be(600);
        embedder.Pooling.Should().Be(EmbeddingPooling.Mean);
        IReadOnlyList<TextEmbedding> embeddings = await embedder.EmbedAsync([new int[600], new int[3], new int[599]]);
        embeddings.Select(embedding => embedding.TokenCount).Should().Equal(600, 3, 599);
        await embedder.Awaiting(it => it.EmbedAsync([new int[601]])).Should().ThrowAsync<ContextFullException>();
    }

    [Test]
    public async Task Callers_at_once_get_each_their_own()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        string[] texts = [.. Enumerable.Range(0, 16).Select(i => $"{(char)('a' + i)} {Text}")];
        IReadOnlyList<TextEmbedding> expected = await embedder.EmbedAsync(texts);
        await Parallel.ForEachAsync(Enumerable.Range(0, 64), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            TextEmbedding embedding = await embedder.EmbedAsync(texts[i % 16], token);
            Vectors.Difference(embedding, expected[i % 16]).Should().BeLessThan(Rounding);
            Vectors.Difference(embedding, expected[(i + 1) % 16]).Should().BeGreaterThan(5 * Rounding);
        });
    }

    [Test]
    public async Task Cancelled_call_ends_at_once_and_disturbs_no_other()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options with { ContextLength = 2048 });
        TextEmbedding expected = await embedder.EmbedAsync(Text);
        int[][] texts = [.. Enumerable.Range(0, 16).Select(_ => new int[2048])];
        long begin = Stopwatch.GetTimestamp();
        TimeSpan start = Environment.CpuUsage.TotalTime;
        await embedder.EmbedAsync([texts[0]]);
        TimeSpan one = Environment.CpuUsage.TotalTime - start;
        TimeSpan duration = Stopwatch.GetElapsedTime(begin);

        using var cancellation = new CancellationTokenSource();
        Task<IReadOnlyList<TextEmbedding>> cancelled = embedder.EmbedAsync(texts, cancellation.Token);
        Task<TextEmbedding> other = embedder.EmbedAsync(Text);
        await Task.Delay(duration / 4);
        await cancellation.CancelAsync();
        (await cancelled.Awaiting(it => it).Should().ThrowAsync<OperationCanceledException>()).Which.CancellationToken.Should().Be(cancellation.Token);

        // This is the processor time of this process, which does not include other work of the machine.
        start = Environment.CpuUsage.TotalTime;
        Vectors.Difference(await other, expected).Should().BeLessThan(Rounding);
        (Environment.CpuUsage.TotalTime - start).Should().BeLessThan(8 * one, "15 of 16 long texts were not computed");
    }

    [Test]
    public async Task Cancelled_at_random_moments_it_goes_on_working()
    {
        await using Embedder embedder = _model.CreateEmbedder(s_options);
        TextEmbedding expected = await embedder.EmbedAsync(Text);
        var random = new Random(1);
        for (int run = 0; run < 60; run++)
        {
            using var cancellation = new CancellationTokenSource();
            cancellation.CancelAfter(TimeSpan.FromMicroseconds(random.Next(4000)));
            Task<TextEmbedding> other = embedder.EmbedAsync(Text);
            try
            {
                await embedder.EmbedAsync([.. Enumerable.Repeat(Text, 32)], cancellation.Token);
            }
            catch (OperationCanceledException)
            {
                cancellation.IsCancellationRequested.Should().BeTrue();
            }

            Vectors.Difference(await other, expected).Should().BeLessThan(Rounding);
        }
    }

    [Test]
    public async Task Disposal_ends_what_is_being_computed()
    {
        Embedder embedder = _model.CreateEmbedder(s_options with { ContextLength = 4096 });
        Task<IReadOnlyList<TextEmbedding>> running = embedder.EmbedAsync([new int[4096], new int[4096], new int[4096]]);
        await embedder.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await running.Awaiting(it => it).Should().ThrowAsync<ObjectDisposedException>();
        embedder.Invoking(it => { _ = it.EmbedAsync(Text); }).Should().Throw<ObjectDisposedException>();
        embedder.Dispose();
    }

    [Test]
    public async Task Embedder_keeps_it_model_alive()
    {
        MoeModel model = MoeModel.Load(s_file.Path);
        await using Embedder embedder = model.CreateEmbedder(s_options);
        model.Dispose();
        (await embedder.EmbedAsync(Text)).TokenCount.Should().BePositive();
    }
}
