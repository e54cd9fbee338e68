namespace MoeOffload.Server.OpenAI;

/// <summary>The answers to one chat, which are generated at the same time. Disposing ends those that run, and counts all.</summary>
internal sealed class ChatAnswers : IAsyncDisposable
{
    private readonly ApiRequest _request;
    private readonly ChatStream[] _streams;

    private ChatAnswers(ApiRequest request, ChatStream[] streams)
    {
        _request = request;
        _streams = streams;
    }

    /// <summary>What each cost, once it has ended.</summary>
    public IReadOnlyList<GenerationStatistics?> Statistics => [.. _streams.Select(stream => stream.Statistics)];

    /// <summary>Prepares answers; nothing runs until they are read.</summary>
    public static async Task<ChatAnswers> StartAsync(
        ApiRequest request, ModelLease lease, IReadOnlyList<ChatMessage> messages, int count, Func<int, ChatOptions> options)
    {
        var streams = new List<ChatStream>(count);
        try
        {
            for (int index = 0; index < count; index++)
            {
                ChatOptions own = options(index) with { Deadline = request.TimeLeft };
                streams.Add(lease.Session.ChatAsync(messages, own, request.Cancellation));
                request.CheckPrompt(streams[index].PromptTokenCount);
            }
        }
        catch
        {
            foreach (ChatStream stream in streams)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }

        request.LogText("Prompt", streams[0].Chat.Prompt);
        return new ChatAnswers(request, [.. streams]);
    }

    /// <summary>Reads all to their ends.</summary>
    /// <returns>The last update of each.</returns>
    public async Task<ChatUpdate[]> CompleteAsync()
    {
        ChatUpdate[] answers = await Task.WhenAll(_streams.Select(stream => stream.CompleteAsync(_request.Cancellation))).ConfigureAwait(false);
        foreach (ChatUpdate answer in answers)
        {
            _request.LogText("Answer", answer.Message!.Content);
        }

        return answers;
    }

    /// <summary>Reads all as they grow.</summary>
    /// <returns>Updates, each with the answer's number.</returns>
    public IAsyncEnumerable<(int Index, ChatUpdate Update)> ReadAsync() => MergedStreams.ReadAsync<ChatUpdate>(_streams, _request.Cancellation);

    public async ValueTask DisposeAsync()
    {
        foreach (ChatStream stream in _streams)
        {
            stream.Dispose();
        }

        foreach (ChatStream stream in _streams)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            _request.Count(stream.Statistics);
        }
    }
}
