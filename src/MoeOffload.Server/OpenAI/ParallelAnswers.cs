namespace MoeOffload.Server.OpenAI;

/// <summary>Answers that are generated at the same time. Disposing ends those that run, and counts all.</summary>
/// <typeparam name="TStream">The stream of one answer.</typeparam>
/// <typeparam name="TItem">What it yields.</typeparam>
internal abstract class ParallelAnswers<TStream, TItem>(ApiRequest request, TStream[] streams) : IAsyncDisposable
    where TStream : class, IAsyncEnumerable<TItem>, IAsyncDisposable, IDisposable
{
    /// <summary>What each cost, once it has ended.</summary>
    public IReadOnlyList<GenerationStatistics?> Statistics => [.. streams.Select(StatisticsOf)];

    protected ApiRequest Request => request;

    protected IReadOnlyList<TStream> Streams => streams;

    /// <summary>Reads all as they grow.</summary>
    /// <returns>What they yield, each with the answer's number.</returns>
    public IAsyncEnumerable<(int Index, TItem Item)> ReadAsync() => MergedStreams.ReadAsync<TItem>(streams, request.Cancellation);

    /// <summary>Reads all as they grow, to be sent.</summary>
    /// <param name="target">Where they are sent.</param>
    /// <inheritdoc cref="ReadAsync()"/>
    public IAsyncEnumerable<(int Index, TItem Item)> ReadAsync(ResponseStream target) => target.GatherAsync(ReadAsync());

    public async ValueTask DisposeAsync()
    {
        foreach (TStream stream in streams)
        {
            stream.Dispose();
        }

        foreach (TStream stream in streams)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            request.Count(StatisticsOf(stream));
        }
    }

    /// <summary>Prepares streams; where one cannot be, or its prompt is too long, none is left.</summary>
    protected static async Task<TStream[]> StartAsync(ApiRequest request, int count, Func<int, TStream> start, Func<TStream, int> promptTokens)
    {
        var streams = new List<TStream>(count);
        try
        {
            for (int index = 0; index < count; index++)
            {
                streams.Add(start(index));
                request.CheckPrompt(promptTokens(streams[index]));
            }
        }
        catch
        {
            foreach (TStream stream in streams)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        return [.. streams];
    }

    protected abstract GenerationStatistics? StatisticsOf(TStream stream);
}
