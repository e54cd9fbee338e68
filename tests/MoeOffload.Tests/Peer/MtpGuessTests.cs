using System.Globalization;
using FluentAssertions;
using MoeOffload.Fixtures;
using NUnit.Framework;

namespace MoeOffload.Tests.Peer;

/// <summary>Layers for multi-token prediction guess for us as they do for llama.cpp's server: as often right.</summary>
[TestFixture]
public sealed class MtpGuessTests
{
    private const int Guesses = 3;
    private const int Length = 300;

    private static IEnumerable<TinyModel> Models => [TinyModels.Glm4Moe(), TinyModels.Step35(), TinyModels.Qwen35Moe()];

    [TestCaseSource(nameof(Models))]
    public async Task Guesses_are_right_as_often_as_those_of_llama_server(TinyModel file)
    {
        int[] prompt = [.. Enumerable.Range(0, 40).Select(i => 200 + (i * i % 301))];
        using LlamaServer server = LlamaServer.Start(
            file.Path,
            ["-c", "1024", "--spec-type", "draft-mtp", "--spec-draft-n-max", Guesses.ToString(CultureInfo.InvariantCulture), "--spec-draft-p-min", "0"]);
        (int[] expected, int drafted, int accepted) = server.Speculate(prompt, Length);

        using MoeModel model = MoeModel.Load(file.Path, new ModelOptions { LoadMtpLayers = true });
        using GenerationSession session = model.CreateSession(
            SmallModel.Context(1024) with { Speculation = new SpeculationOptions { UseMtpLayers = true, MaxDraftTokens = Guesses, MinAcceptanceRate = 0 } });
        TokenStream stream = session.GenerateAsync(new GenerationRequest
        {
            PromptTokens = prompt,
            Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true },
            MaxTokens = Length,
        });
        int[] found = [.. (await SmallModel.Read(stream)).Select(token => token.Id)];

        int common = found.AsSpan().CommonPrefixLength(expected);
        TestContext.Out.WriteLine(
            $"{stream.Statistics!.AcceptedTokens} of {stream.Statistics.DraftedTokens} guesses were right, {accepted} of {drafted} of the server's; {common} tokens are the same");
        double share = accepted / (double)drafted;
        (stream.Statistics.AcceptedTokens / (double)stream.Statistics.DraftedTokens).Should().BeApproximately(share, 0.05);
        share.Should().BeGreaterThan(0.2, "else it does not matter what the guesses are");
    }
}
