namespace MoeOffload.Server.OpenAI;

/// <summary>Continuations that are generated at the same time. Disposing ends those that run, and counts all.</summary>
internal sealed class TextAnswers : IAsyncDisposable
{
    private readonly ApiRequest _request;
    private readonly TokenStream[] _streams;

    private TextAnswers(ApiRequest request, TokenStream[] streams)
    {
        _request = request;
        _streams = streams;
    }

    /// <summary>What each cost, once it has ended.</summary>
    public IReadOnlyList<GenerationStatistics?> Statistics => [.. _streams.Select(stream => stream.Statistics)];

    /// <summary>Why each ended, once it has.</summary>
    public StopReason?[] StopReasons => [.. _streams.Select(stream => stream.StopReason)];

    /// <summary>Prepares continuations; nothing runs until they are read.</summary>
    public static async Task<TextAnswers> StartAsync(ApiRequest request, ModelLease lease, int count, Func<int, GenerationRequest> generation)
    {
        var streams = new List<TokenStream>(count);
        try
        {
            for (int index = 0; index < count; index++)
            {
                GenerationRequest own = generation(index) with { Deadline = request.TimeLeft };
                request.LogText("Prompt", own.Prompt);
                streams.Add(lease.Session.GenerateAsync(own, request.Cancellation));
                request.CheckPrompt(streams[index].PromptTokenCount);
            }
        }
        catch
        {
            foreach (TokenStream stream in streams)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        return new TextAnswers(request, [.. streams]);
    }

    /// <summary>Reads all as they grow.</summary>
    /// <returns>Tokens, each with the continuation's number.</returns>
    public IAsyncEnumerable<(int Index, GeneratedToken Token)> ReadAsync() => MergedStreams.ReadAsync<GeneratedToken>(_streams, _request.Cancellation);

    public async ValueTask DisposeAsync()
    {
        foreach (TokenStream stream in _streams)
        {
            stream.Dispose();
        }

        foreach (TokenStream stream in _streams)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            _request.Count(stream.Statistics);
        }
    }
}
