using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests;

/// <summary>
/// A greedy continuation, and how clear each choice was. Batches of another shape round in another way, so two runs may part where the
/// two best tokens were equally likely, and only there.
/// </summary>
internal sealed class GreedyText
{
    private const float Rounding = 0.01f;

    private GreedyText(int[] tokens, float[] gaps, GenerationStatistics? statistics)
    {
        Tokens = tokens;
        Gaps = gaps;
        Statistics = statistics;
    }

    public int[] Tokens { get; }

    /// <summary>By how much the best token was more likely than the next one, as logarithms.</summary>
    public float[] Gaps { get; }

    public GenerationStatistics? Statistics { get; }

    public static async Task<GreedyText> Of(GenerationSession session, GenerationRequest request)
    {
        using TokenStream stream = session.GenerateAsync(request with { Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 2 } });
        List<GeneratedToken> tokens = await SmallModel.Read(stream);
        return new GreedyText(
            [.. tokens.Select(token => token.Id)],
            [.. tokens.Select(token => token.TopLogProbabilities[0].LogProbability - token.TopLogProbabilities[1].LogProbability)],
            stream.Statistics);
    }

    public static Task<GreedyText> Of(GenerationSession session, int[] prompt, int count) =>
        Of(session, new GenerationRequest { PromptTokens = prompt, MaxTokens = count });

    /// <summary>Fails unless another run yields the same, or parts from this one where this one had no clear choice.</summary>
    public void ShouldBeThatOf(GreedyText reference, string because = "")
    {
        int common = Tokens.AsSpan().CommonPrefixLength(reference.Tokens);
        if (common == Tokens.Length && common == reference.Tokens.Length)
        {
            return;
        }

        float gap = common < reference.Gaps.Length ? reference.Gaps[common] : float.PositiveInfinity;
        TestContext.Out.WriteLine($"The texts part after {common} of {reference.Tokens.Length} tokens, where the best two differ by {gap}.");
        gap.Should().BeLessThan(Rounding, because);
    }
}
