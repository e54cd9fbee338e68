using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Log-probabilities against those of llama.cpp's own server.</summary>
[TestFixture]
public sealed class LogProbabilityTests
{
    private const int Count = 24;
    private const int Top = 5;

    private static IEnumerable<TinyModel> Models => [TinyModels.Qwen3Moe(), TinyModels.GptOss(), TinyModels.PhiMoe()];

    [TestCaseSource(nameof(Models))]
    public async Task Log_probabilities_of_a_greedy_text_are_the_servers(TinyModel file)
    {
        int[] prompt = [.. Enumerable.Range(300, 12)];
        using LlamaServer server = LlamaServer.Start(file.Path);
        (int Token, double LogProbability, (int Token, double LogProbability)[] Top)[] expected = server.Complete(prompt, Count, Top);
        expected.Should().HaveCount(Count);

        using MoeModel model = await MoeModel.LoadAsync(file.Path);
        using GenerationSession session = model.CreateSession(SmallModel.Context(64));
        List<GeneratedToken> tokens = await SmallModel.Read(session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            Sampling = SamplingOptions.Greedy with { TopLogProbabilities = Top, IgnoreEndOfSequence = true },
            MaxTokens = Count,
        }));

        tokens.Select(token => token.Id).Should().Equal(expected.Select(token => token.Token));
        for (int i = 0; i < Count; i++)
        {
            ((double)tokens[i].LogProbability).Should().BeApproximately(expected[i].LogProbability, 1e-4);
            tokens[i].TopLogProbabilities.Select(other => other.Token).Should().Equal(expected[i].Top.Select(other => other.Token));
            tokens[i].TopLogProbabilities.Zip(expected[i].Top).Should().AllSatisfy(
                pair => ((double)pair.First.LogProbability).Should().BeApproximately(pair.Second.LogProbability, 1e-4));
        }
    }
}
