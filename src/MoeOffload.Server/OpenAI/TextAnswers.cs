namespace MoeOffload.Server.OpenAI;

/// <summary>Continuations of texts.</summary>
internal sealed class TextAnswers : ParallelAnswers<TokenStream, GeneratedToken>
{
    private TextAnswers(ApiRequest request, TokenStream[] streams)
        : base(request, streams)
    {
    }

    /// <summary>Why each ended, once it has.</summary>
    public StopReason?[] StopReasons => [.. Streams.Select(stream => stream.StopReason)];

    /// <summary>Prepares continuations; nothing runs until they are read.</summary>
    public static async Task<TextAnswers> StartAsync(ApiRequest request, ModelLease lease, int count, Func<int, GenerationRequest> generation) => new(
        request,
        await StartAsync(
            request,
            count,
            index =>
            {
                GenerationRequest own = generation(index) with { Deadline = request.TimeLeft };
                request.LogText("Prompt", own.Prompt);
                return lease.Session.GenerateAsync(own, request.Cancellation);
            },
            stream => stream.PromptTokenCount).ConfigureAwait(false));

    protected override GenerationStatistics? StatisticsOf(TokenStream stream) => stream.Statistics;
}
