using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

[TestFixture]
public sealed class CompletionTests
{
    private const int Tokens = 64;

    // Longer than two batches, so that both sides must cut it at the same places.
    private const string Prompt =
        "The router looked at the token and asked the experts which of them would take it. Two of them, who had not worked since "
        + "the last prompt, put up their hands; the others went on sleeping in system memory, where it is warm and there is room. "
        + "\"Each of us,\" said the first expert, \"knows a little of everything, and nobody knows what it is.\" They went to work";

    private static readonly ContextOptions Context = new()
    {
        ContextLength = 512,
        BatchSize = 64,
        MicroBatchSize = 32,
        FlashAttention = FlashAttention.On,
        Threads = { Decode = 1, Prompt = 1 },
    };

    private static IEnumerable<TinyModel> Models => [.. TinyModels.All, .. TinyModels.Quantized];

    [TestCaseSource(nameof(Models))]
    public async Task Greedy_text_is_byte_for_byte_the_completion_tools(TinyModel model) => await Compare(model, Context);

    [Test]
    public async Task Greedy_text_of_two_threads_without_flash_attention_is_the_completion_tools() => await Compare(
        TinyModels.GptOss(),
        Context with { FlashAttention = FlashAttention.Off, Threads = new ThreadOptions { Decode = 2, Prompt = 2 } });

    private static async Task Compare(TinyModel file, ContextOptions context)
    {
        (byte[] text, int promptTokens, int generatedTokens) = CompletionTool.Continue(file.Path, Prompt, Tokens, context);

        using MoeModel model = await MoeModel.LoadAsync(file.Path);
        using GenerationSession session = model.CreateSession(context);
        TokenStream stream = session.GenerateAsync(Prompt, SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, Tokens);
        List<int> ids = [];
        await foreach (GeneratedToken token in stream)
        {
            ids.Add(token.Id);
        }

        promptTokens.Should().BeGreaterThan(2 * context.BatchSize!.Value).And.Be(stream.Statistics!.PromptTokens);
        generatedTokens.Should().Be(Tokens);
        ids.Should().HaveCount(Tokens);
        ids.Distinct().Should().HaveCountGreaterThan(Tokens / 8, "a text that repeats itself compares little");
        TokenPieces pieces = model.Pieces(special: false);
        ids.SelectMany(id => pieces[id].ToArray()).Should().Equal(text);
    }
}
