using FluentAssertions;
using MoeOffload.Embeddings;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Embeddings against those of llama.cpp's own server.</summary>
[TestFixture]
public sealed class EmbeddingTests
{
    // Alone, a text is computed by the same steps; only the mean is summed in another order, and the length.
    private const float Rounding = 2e-6f;

    // Together, matrices are multiplied in other blocks, with F16 in between.
    private const float RoundingTogether = 0.01f;

    private static readonly string[] s_texts =
    [
        "a",
        "The experts slept in system memory.",
        "To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows",
        "Grüße aus Köln, 你好",
    ];

    private static readonly EmbeddingOptions s_options = new() { ContextLength = 256, Threads = { Prompt = 1, Decode = 1 } };

    private static IEnumerable<TestCaseData> Cases()
    {
        string nonCausal = AlteredModels.Alter(TinyModels.Llama(), writer => writer.Set("llama.attention.causal", false));
        (string Name, string Path)[] models =
        [
            ("qwen3moe", SmallModel.File.Path), ("gpt-oss", TinyModels.GptOss(TinyModelOptions.AllExperts).Path), ("bert", TinyModels.Bert().Path), ("llama without causality", nonCausal),
        ];
        foreach ((string name, string path) in models)
        {
            foreach (EmbeddingPooling? pooling in (EmbeddingPooling?[])[EmbeddingPooling.Mean, EmbeddingPooling.Cls, EmbeddingPooling.Last, null])
            {
                yield return new TestCaseData(path, pooling).SetArgDisplayNames(name, pooling?.ToString() ?? "each token");
            }
        }
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Embeddings_are_the_servers(string path, EmbeddingPooling? pooling)
    {
        // For the last token's, the server takes the beginning of a text from the one before: wrong if that beginning saw its end.
        float[][][] theirs = path.Contains("altered", StringComparison.Ordinal) && pooling == EmbeddingPooling.Last
            ? [.. s_texts.SelectMany(text => Serve(path, pooling, text))]
            : Serve(path, pooling, s_texts);

        using MoeModel model = await MoeModel.LoadAsync(path);
        await using Embedder embedder = model.CreateEmbedder(s_options with { Pooling = pooling });
        float[][][] together = await Embed(embedder, pooling, s_texts);
        for (int text = 0; text < s_texts.Length; text++)
        {
            Compare((await Embed(embedder, pooling, s_texts[text]))[0], theirs[text], Rounding);
            Compare(together[text], theirs[text], RoundingTogether);
        }

        Vectors.Difference(together[0][0], together[1][0]).Should().BeGreaterThan(10 * RoundingTogether, "else equality would say nothing");
    }

    private static float[][][] Serve(string path, EmbeddingPooling? pooling, params string[] texts)
    {
        using LlamaServer server = LlamaServer.Start(
            path, "--embeddings", "--pooling", pooling?.ToString().ToLowerInvariant() ?? "none", "-c", "256", "-b", "256", "-ub", "256");
        return [.. texts.Select(server.Embed)];
    }

    private static async Task<float[][][]> Embed(Embedder embedder, EmbeddingPooling? pooling, params string[] texts) => pooling is null
        ? [.. (await embedder.EmbedTokensAsync(texts)).Select(text => Enumerable.Range(0, text.Tokens.Count).Select(i => text[i].ToArray()).ToArray())]
        : [.. (await embedder.EmbedAsync(texts)).Select(text => (float[][])[text.Vector.ToArray()])];

    private static void Compare(float[][] ours, float[][] theirs, float rounding)
    {
        ours.Should().HaveSameCount(theirs);
        ours.Zip(theirs, (our, their) => Vectors.Difference(our, their)).Max().Should().BeLessThan(rounding);
    }
}
