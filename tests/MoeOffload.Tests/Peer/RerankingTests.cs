using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Scores of documents against those of llama.cpp's own server.</summary>
[TestFixture]
public sealed class RerankingTests
{
    // Together, matrices are multiplied in other blocks, with F16 in between.
    private const float Rounding = 0.01f;

    private const string Query = "What do bees make?";

    private static readonly string[] s_documents =
    [
        "Bees make honey.",
        "The experts slept in system memory.",
        "a",
        "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows",
        "Grüße aus Köln, 你好",
    ];

    private static readonly EmbeddingOptions s_options = new() { ContextLength = 256, Threads = { Prompt = 1, Decode = 1 } };

    private static IEnumerable<TestCaseData> Models() =>
    [
        new TestCaseData(TinyModels.BertReranker().Path).SetArgDisplayNames("bert"),
        new TestCaseData(TinyModels.Qwen3Reranker().Path).SetArgDisplayNames("qwen3"),
    ];

    [TestCaseSource(nameof(Models))]
    public async Task Scores_are_the_servers(string path)
    {
        using LlamaServer server = LlamaServer.Start(path, "--reranking", "-c", "256", "-b", "256", "-ub", "256");
        (float[] theirs, int tokens) = server.Rerank(Query, s_documents);
        theirs.Max().Should().BeGreaterThan(theirs.Min() + (5 * Rounding), "else equality would say nothing");

        using MoeModel model = await MoeModel.LoadAsync(path);
        model.CanRerank.Should().BeTrue();
        await using Reranker reranker = await model.CreateRerankerAsync(s_options);
        IReadOnlyList<DocumentScore> ours = await reranker.RerankAsync(Query, s_documents);

        ours.Select(score => score.Score).Should().BeInDescendingOrder();
        ours.Sum(score => score.TokenCount).Should().Be(tokens);
        foreach (DocumentScore score in ours)
        {
            score.Score.Should().BeApproximately(theirs[score.Index], Rounding);
            (await reranker.RerankAsync(Query, [s_documents[score.Index]])).Single().Score.Should().BeApproximately(theirs[score.Index], Rounding);
        }
    }

    [Test]
    public async Task Model_without_a_head_ranks_nothing()
    {
        using MoeModel model = await MoeModel.LoadAsync(SmallModel.File.Path);
        model.CanRerank.Should().BeFalse();
        await model.Awaiting(it => it.CreateRerankerAsync()).Should().ThrowAsync<NotSupportedException>().WithMessage("*classification head*reranking*");
    }

    [Test]
    public async Task Documents_that_cannot_be_ranked_are_told()
    {
        using MoeModel model = await MoeModel.LoadAsync(TinyModels.BertReranker().Path);
        Reranker reranker = await model.CreateRerankerAsync(s_options);
        reranker.MaxTokens.Should().Be(256);
        await using (reranker)
        {
            (await reranker.RerankAsync(Query, [])).Should().BeEmpty();
            await reranker.Awaiting(it => it.RerankAsync(Query, ["short", string.Concat(Enumerable.Repeat("long ", 300))]))
                .Should().ThrowAsync<ContextFullException>().WithMessage("*document 1*at most 256*");
            await reranker.Awaiting(it => it.RerankAsync(Query, [null!])).Should().ThrowAsync<ArgumentException>();
            await reranker.Awaiting(it => it.RerankAsync(Query, ["a"], new CancellationToken(canceled: true))).Should().ThrowAsync<OperationCanceledException>();
        }

        await reranker.Awaiting(it => it.RerankAsync(Query, ["a"])).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Test]
    public async Task Disposal_ends_what_is_being_ranked()
    {
        using MoeModel model = await MoeModel.LoadAsync(TinyModels.BertReranker().Path);
        Reranker reranker = await model.CreateRerankerAsync(s_options);
        Task<IReadOnlyList<DocumentScore>> running = reranker.RerankAsync(Query, [.. Enumerable.Repeat("a document", 2000)]);

        await reranker.DisposeAsync();

        (await running.Awaiting(it => it).Should().ThrowAsync<ObjectDisposedException>()).Which.ObjectName.Should().Be(typeof(Reranker).FullName);
    }
}
