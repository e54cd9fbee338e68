using FluentAssertions;
using MoeOffload.Chat;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Synthesis;
using NUnit.Framework;

namespace MoeOffload.Measurement.Tests.Synthesis;

/// <summary>Synthetic models of every architecture in llama.cpp, narrower than the real ones.</summary>
[TestFixture]
public sealed class SyntheticModelTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static IEnumerable<TestCaseData> Models() => ModelShape.All.Select(shape => (Shape: shape, Type: "Q2_K"))
        .Concat([(Qwen3MoeShape.Instance, "Q4_K_M"), (GptOssShape.Of20B, "MXFP4"), (PhiMoeShape.Instance, "BF16")])
        .Select(model => new TestCaseData(model.Shape, model.Type).SetArgDisplayNames(model.Shape.Id, model.Type));

    public void Dispose() => _directory.Dispose();

    [TestCaseSource(nameof(Models))]
    public async Task Model_loads_with_experts_on_the_cpu_and_generates(object shape, string type)
    {
        MoeModel.EstimateMemory(Write((ModelShape)shape, type, out string path)).Total.TotalBytes.Should().BePositive();
        GgufModelCheck.Validate(GgufModelFiles.Open(path));
        using var model = await MoeModel.LoadAsync(path, new ModelOptions { Placement = TensorPlacement.ExpertsToCpu(), ValidateTensors = true });
        using var session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1 } });

        var tokens = new List<GeneratedToken>();
        await foreach (GeneratedToken token in session.GenerateAsync("Once upon a time", SamplingOptions.Greedy with { TopLogProbabilities = 5 }, maxTokens: 8))
        {
            tokens.Add(token);
        }

        tokens.Should().HaveCount(8);
        tokens.SelectMany(token => token.TopLogProbabilities).Should().OnlyContain(probability => float.IsFinite(probability.LogProbability));
        tokens.Select(token => token.Id).Distinct().Should().HaveCountGreaterThan(2);
        model.Vocabulary.Size.Should().Be(((ModelShape)shape).Vocabulary.Size);
        model.Info.ExpertCount.Should().Be(((ModelShape)shape).ExpertCount);
    }

    [TestCaseSource(nameof(Shapes))]
    public async Task Any_text_becomes_tokens_and_the_same_text(object shape)
    {
        Write((ModelShape)shape, "Q2_K", out string path);
        using var model = await MoeModel.LoadAsync(path);

        foreach (string text in new[] { "Write a haiku about AI", "Zürich ist 3°  kälter?\n\tJa.", "日本語 🎈 naïve\r\n", "x = [1, 2] ** 3; // 0xFF" })
        {
            int[] tokens = model.Vocabulary.Tokenize(text, addSpecial: false);
            model.Vocabulary.Detokenize(tokens).Should().Be(text);
        }

        model.Vocabulary.Tokenize("Write a haiku about the river and the mountain", addSpecial: false).Should().HaveCount(9);
        model.Vocabulary.Tokenize(" bavo kitel", addSpecial: false).Length.Should().BeLessThan(8);
    }

    [TestCaseSource(nameof(Shapes))]
    public async Task Made_up_words_are_the_tokens_that_they_were(object shape)
    {
        Write((ModelShape)shape, "Q2_K", out string path);
        using var model = await MoeModel.LoadAsync(path);
        using var session = model.CreateSession(new ContextOptions { ContextLength = 256, Threads = { Decode = 1 } });
        int[] bytes = [.. Enumerable.Range(0, 512)];

        var tokens = new List<GeneratedToken>();
        var sampling = new SamplingOptions { Temperature = 1, Seed = 1, LogitBias = bytes.ToDictionary(token => token, _ => float.NegativeInfinity) };
        await foreach (GeneratedToken token in session.GenerateAsync("The", sampling, maxTokens: 30))
        {
            tokens.Add(token);
        }

        string text = string.Concat(tokens.Select(token => token.Text));
        text.Should().MatchRegex("^( [A-Za-z]+){5}");
        int[] again = model.Vocabulary.Tokenize(text, addSpecial: false);
        again.Length.Should().BeCloseTo(tokens.Count, 5);
    }

    [Test]
    public void Chat_template_makes_the_special_tokens_of_the_real_model(
        [Values("gpt-oss-20b", "phi-3.5-moe", "deepseek-moe-16b", "qwen3-30b-a3b")] string id)
    {
        ModelShape shape = ModelShape.All.Single(shape => shape.Id == id);
        Write(shape, "Q2_K", out string path);
        using var model = MoeModel.Load(path);

        string prompt = model.ChatTemplate!.Render([ChatMessage.User("Hello")]).Prompt;

        int[] tokens = model.Vocabulary.Tokenize(prompt, addSpecial: true, parseSpecial: true);
        prompt.Should().Contain("Hello");
        tokens.Should().Contain(token => shape.Vocabulary.Special.ContainsKey(token));
    }

    [Test]
    public void Same_seed_is_the_same_file_and_another_one_is_not()
    {
        byte[] first = File.ReadAllBytes(Write(Narrow(Qwen3MoeShape.Instance), "Q3_K_M", "a.gguf", seed: 1));

        File.ReadAllBytes(Write(Narrow(Qwen3MoeShape.Instance), "Q3_K_M", "b.gguf", seed: 1)).AsSpan().SequenceEqual(first).Should().BeTrue();
        File.ReadAllBytes(Write(Narrow(Qwen3MoeShape.Instance), "Q3_K_M", "c.gguf", seed: 2)).AsSpan().SequenceEqual(first).Should().BeFalse();
    }

    [Test]
    public void File_says_that_its_weights_are_synthetic_and_is_as_large_as_planned()
    {
        ModelShape shape = Narrow(DeepSeekMoeShape.Instance);
        var model = new SyntheticModel(shape, FileType.All["Q8_0"], 2, seed: 1);
        string path = _directory["says.gguf"];

        model.Write(path);

        GgufFile file = GgufFile.Open(path);
        file.Metadata.TryGetValue(SyntheticModel.Key, out GgufValue synthetic).Should().BeTrue();
        synthetic.ToArray<bool>().Should().Equal(true);
        file.Metadata.TryGetString(GgufKeys.Name, out string name);
        name.Should().Contain("synthetic weights").And.Contain("2 of 28 layers");
        new FileInfo(path).Length.Should().Be(model.FileBytes);
    }

    [Test]
    public void Cancelled_write_leaves_the_former_file_and_no_half_one()
    {
        string path = _directory.Write("cancelled/model.gguf", "former");
        var model = new SyntheticModel(Narrow(Qwen3MoeShape.Instance), FileType.All["Q8_0"], 2, seed: 1);
        using var cancelled = new CancellationTokenSource();

        FluentActions.Invoking(() => model.Write(path, new Cancelling(cancelled), cancelled.Token)).Should().Throw<OperationCanceledException>();

        Directory.GetFiles(Path.GetDirectoryName(path)!).Should().Equal(path);
        File.ReadAllText(path).Should().Be("former");
    }

    private static IEnumerable<TestCaseData> Shapes() =>
        ModelShape.All.Where(shape => shape != GptOssShape.Of120B).Select(shape => new TestCaseData(shape).SetArgDisplayNames(shape.Id));

    // The kinds and numbers of heads, experts and tokens are those of the real models if that is cheap.
    private static ModelShape Narrow(ModelShape shape)
    {
        int heads = shape.HeadsPerKeyValueHead == 1 ? 2 : shape.HeadsPerKeyValueHead;
        return shape with
        {
            EmbeddingLength = shape is PhiMoeShape or DeepSeekMoeShape ? heads * shape.HeadLength : 256,
            HeadCount = heads,
            KeyValueHeadCount = heads / shape.HeadsPerKeyValueHead,
            FeedForwardLength = 64,
            ExpertFeedForwardLength = 64,
        };
    }

    private string Write(ModelShape shape, string type, string name, int seed)
    {
        string path = _directory[name];
        new SyntheticModel(shape, FileType.All[type], 2, seed).Write(path);
        return path;
    }

    private string Write(ModelShape shape, string type, out string path)
    {
        path = _directory[$"{shape.Id}-{type}.gguf"];
        return File.Exists(path) ? path : Write(Narrow(shape), type, Path.GetFileName(path), seed: 1);
    }

    private sealed class Cancelling(CancellationTokenSource source) : IProgress<long>
    {
        public void Report(long value) => source.Cancel();
    }
}
