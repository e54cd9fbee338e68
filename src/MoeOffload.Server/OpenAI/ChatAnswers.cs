using MoeOffload.Chat;

namespace MoeOffload.Server.OpenAI;

/// <summary>The answers to one chat.</summary>
internal sealed class ChatAnswers : ParallelAnswers<ChatStream, ChatUpdate>
{
    private ChatAnswers(ApiRequest request, ChatStream[] streams)
        : base(request, streams)
    {
    }

    /// <summary>Prepares answers; nothing runs until they are read.</summary>
    public static async Task<ChatAnswers> StartAsync(
        ApiRequest request, ModelLease lease, IReadOnlyList<ChatMessage> messages, int count, Func<int, ChatOptions> options)
    {
        ChatStream[] streams = await StartAsync(
            request,
            count,
            index => lease.Session.ChatAsync(messages, options(index) with { Deadline = request.TimeLeft }, request.Cancellation),
            stream => stream.PromptTokenCount).ConfigureAwait(false);
        request.LogText("Prompt", streams[0].Chat.Prompt);
        return new ChatAnswers(request, streams);
    }

    /// <summary>Reads all to their ends.</summary>
    /// <returns>The last update of each.</returns>
    public async Task<ChatUpdate[]> CompleteAsync()
    {
        ChatUpdate[] answers = await Task.WhenAll(Streams.Select(stream => stream.CompleteAsync(Request.Cancellation))).ConfigureAwait(false);
        foreach (ChatUpdate answer in answers)
        {
            Request.LogText("Answer", answer.Message!.Content);
        }

        return answers;
    }

    protected override GenerationStatistics? StatisticsOf(ChatStream stream) => stream.Statistics;
}
