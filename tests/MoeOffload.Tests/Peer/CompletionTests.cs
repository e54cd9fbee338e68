using System.Text;
using FluentAssertions;
using MoeOffload.Fixtures;
using MoeOffload.Models;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

[TestFixture]
public sealed class CompletionTests
{
    private const int Tokens = 64;

    // Longer than several micro-batches, so that both sides must cut it at the same places.
    private const string Prompt =
        "The router looked at the token and asked the experts which of them would take it. Two of them, who had not worked since "
        + "the last prompt, put up their hands; the others went on sleeping in system memory, where it is warm and there is room. "
        + "\"Each of us,\" said the first expert, \"knows a little of everything, and nobody knows what it is.\" They went to work";

    private static readonly ContextOptions s_context = new()
    {
        ContextLength = 512,
        MicroBatchSize = 32,
        FlashAttention = FlashAttention.On,
        Threads = { Decode = 1, Prompt = 1 },
    };

    private static IEnumerable<TinyModel> Models => [.. TinyModels.All, .. TinyModels.Quantized];

    [TestCaseSource(nameof(Models))]
    public async Task Greedy_tokens_are_the_completion_tools(TinyModel model) => await Compare(model, s_context);

    [Test]
    public async Task Greedy_tokens_of_two_threads_without_flash_attention_are_the_completion_tools() => await Compare(
        TinyModels.GptOss(),
        s_context with { FlashAttention = FlashAttention.Off, Threads = new ThreadOptions { Decode = 2, Prompt = 2 } });

    [TestCaseSource(nameof(Shifting))]
    public async Task Text_beyond_a_full_context_is_the_completion_tools(TinyModel file, int keep, int addedByTool)
    {
        const int Length = 600;
        ContextOptions context = s_context with { ContextLength = 256, FlashAttention = FlashAttention.On };
        using MoeModel model = await MoeModel.LoadAsync(file.Path);
        string expected = Encoding.UTF8.GetString(CompletionTool.Shift(file.Path, Prompt, Length, keep, context));

        using GenerationSession session = model.CreateSession(context);
        TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            Prompt = Prompt,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = Length,
            ContextFull = ContextFullAction.Shift,
            KeepTokens = keep + addedByTool,
        });
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        string ours = SmallModel.Text(tokens);
        int length = Math.Min(ours.Length, expected.Length - 1);
        length.Should().BeGreaterThan(SmallModel.Text(tokens.Take(500)).Length, "most of it must be compared");
        ours[..length].Should().Be(expected[..length]);
    }

    private static IEnumerable<TestCaseData> Shifting() =>
    [
        new(TinyModels.Qwen3Moe(), 0, 0),
        new(TinyModels.Qwen3Moe(), 5, 0),
        new(TinyModels.Llama(), 5, 1), // it keeps the token that begins a text besides
    ];

    private static async Task Compare(TinyModel file, ContextOptions options)
    {
        using MoeModel model = await MoeModel.LoadAsync(file.Path);
        int[] prompt = model.Vocabulary.Tokenize(Prompt, parseSpecial: true);
        ContextOptions context = options with { BatchSize = prompt.Length - 1 };

        (int[] tokens, byte[] text) = CompletionTool.Continue(file.Path, Prompt, Tokens, context);

        using GenerationSession session = model.CreateSession(context);
        List<int> ours = [];
        await foreach (GeneratedToken token in session.GenerateAsync(Prompt, SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, Tokens))
        {
            ours.Add(token.Id);
        }

        ours.Should().HaveCount(Tokens);
        ours.Distinct().Should().HaveCountGreaterThan(Tokens / 8, "a text that repeats itself compares little");
        prompt.Concat(ours).Should().Equal(tokens);
        TokenPieces pieces = model.Pieces(special: false);
        byte[] ourText = [.. ours.SelectMany(id => pieces[id].ToArray())];
        int length = Math.Min(ourText.Length, text.Length);
        ourText[..length].Should().Equal(text[..length]);
    }
}
