using FluentAssertions;
using NUnit.Framework;

namespace MoeOffload.Tests;

/// <summary>
/// A greedy continuation with its log-probabilities. Batches of another shape round in another way: that moves each log-probability a
/// little, and some more where two experts are chosen between that are equally good. So two runs may part where the best two tokens are
/// about equally likely, and only there; a KV cache that is wrong shows in all of them.
/// </summary>
internal sealed class GreedyText
{
    private const float Rounding = 0.02f;
    private const float OtherExpert = 0.15f;

    private readonly TokenProbability[][] _top;

    private GreedyText(List<GeneratedToken> tokens, GenerationStatistics? statistics)
    {
        Tokens = [.. tokens.Select(token => token.Id)];
        _top = [.. tokens.Select(token => token.TopLogProbabilities.ToArray())];
        Statistics = statistics;
    }

    public int[] Tokens { get; }

    public GenerationStatistics? Statistics { get; }

    /// <summary>Generates it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="request">The request.</param>
    /// <param name="begun">Is completed when the prompt has been computed; null if nobody waits for it.</param>
    public static async Task<GreedyText> Of(GenerationSession session, GenerationRequest request, TaskCompletionSource? begun = null)
    {
        using TokenStream stream = session.GenerateAsync(request with { Sampling = SamplingOptions.Greedy with { TopLogProbabilities = 2 } });
        List<GeneratedToken> tokens = [];
        await foreach (GeneratedToken token in stream)
        {
            tokens.Add(token);
            begun?.TrySetResult();
        }

        return new GreedyText(tokens, stream.Statistics);
    }

    public static Task<GreedyText> Of(GenerationSession session, int[] prompt, int count, TaskCompletionSource? begun = null) =>
        Of(session, new GenerationRequest { PromptTokens = prompt, MaxTokens = count }, begun);

    /// <summary>Fails unless another run yields the same, or parts from this one where this one had no clear choice.</summary>
    public void ShouldBeThatOf(GreedyText reference, string because = "")
    {
        int common = Tokens.AsSpan().CommonPrefixLength(reference.Tokens);
        float[] differences = [.. Enumerable.Range(0, common).Select(i => Math.Abs(Best(i) - reference.Best(i))).Order()];
        if (common > 0)
        {
            differences[common / 2].Should().BeLessThan(Rounding, because);
        }

        if (common < Math.Max(Tokens.Length, reference.Tokens.Length))
        {
            TestContext.Out.WriteLine(
                $"The texts part after {common} of {reference.Tokens.Length} tokens: {string.Join(", ", reference._top[common])}");
            common.Should().BeLessThan(reference.Tokens.Length, because);
            (reference._top[common][0].LogProbability - reference._top[common][1].LogProbability).Should().BeLessThan(OtherExpert, because);
            Tokens[common].Should().Be(reference._top[common][1].Token, because);
        }
    }

    private float Best(int index) => _top[index][0].LogProbability;
}
