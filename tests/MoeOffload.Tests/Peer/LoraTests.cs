using System.Globalization;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Gguf;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Generations with LoRA adapters against llama.cpp's own tool.</summary>
[TestFixture]
public sealed class LoraTests
{
    private const int Tokens = 48;
    private const string Prompt = "The router looked at the token and asked the experts which of them would take it.";

    private static readonly ContextOptions s_context = new()
    {
        ContextLength = 256,
        MicroBatchSize = 32,
        FlashAttention = FlashAttention.On,
        Threads = { Decode = 1, Prompt = 1 },
    };

    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case(SmallModel.File, "attention", TinyAdapters.IsAttention);
        yield return Case(SmallModel.File, "experts", TinyAdapters.IsExperts);
        yield return Case(TinyModels.GptOss(), "attention and experts", name => TinyAdapters.IsAttention(name) || TinyAdapters.IsExperts(name));
        yield return Case(TinyModels.Llama(), "embedding and output", name => name is "token_embd.weight" or "output.weight");

        static TestCaseData Case(TinyModel model, string name, Func<string, bool> changes) =>
            new TestCaseData(model, changes).SetArgDisplayNames(model.Name, name);
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Greedy_tokens_with_an_adapter_are_the_completion_tools(TinyModel file, Func<string, bool> changes) =>
        await Compare(file, (TinyAdapters.Write(file, changes), 0.75f));

    [Test]
    public async Task Greedy_tokens_with_several_adapters_are_the_completion_tools() => await Compare(
        SmallModel.File,
        (TinyAdapters.Write(SmallModel.File, TinyAdapters.IsAttention, seed: 2, alpha: null), 1.5f),
        (TinyAdapters.Write(SmallModel.File, TinyAdapters.IsExperts, seed: 3, rank: 8, type: GgmlType.F16), -0.5f));

    private static async Task Compare(TinyModel file, params (string Path, float Scale)[] adapters)
    {
        using MoeModel model = await MoeModel.LoadAsync(file.Path);
        int[] prompt = model.Vocabulary.Tokenize(Prompt, parseSpecial: true);
        ContextOptions context = s_context with { BatchSize = prompt.Length - 1 };
        string scaled = string.Join(',', adapters.Select(adapter => string.Create(CultureInfo.InvariantCulture, $"{adapter.Path}:{adapter.Scale}")));
        (int[] theirs, _) = CompletionTool.Continue(file.Path, Prompt, Tokens, context, "--lora-scaled", scaled);

        ScaledAdapter[] loaded = [.. adapters.Select(adapter => new ScaledAdapter(model.LoadAdapter(adapter.Path), adapter.Scale))];
        int[] ours = await Continue(model, context with { Adapters = loaded });
        int[] without = await Continue(model, context);

        prompt.Concat(ours).Should().Equal(theirs);
        ours.Should().NotEqual(without, "else the adapter would have changed nothing");
        foreach (ScaledAdapter adapter in loaded)
        {
            adapter.Adapter.Dispose();
        }
    }

    private static async Task<int[]> Continue(MoeModel model, ContextOptions context)
    {
        await using GenerationSession session = model.CreateSession(context);
        var sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true };
        return [.. (await SmallModel.Read(session.GenerateAsync(Prompt, sampling, Tokens))).Select(token => token.Id)];
    }
}
