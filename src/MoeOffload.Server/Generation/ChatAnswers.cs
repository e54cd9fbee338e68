using MoeOffload.Chat;

namespace MoeOffload.Server;

/// <summary>Represents the answers to a chat.</summary>
internal sealed class ChatAnswers : Answers<ChatStream, ChatUpdate>
{
    private ChatAnswers(ApiRequest request, ModelLease lease)
        : base(request, lease)
    {
    }

    /// <summary>Acquires a model and starts answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The model's name; null for the default one.</param>
    /// <param name="messages">The chat.</param>
    /// <param name="options">Gives the options of each answer, without the time limit.</param>
    /// <param name="count">How many answers.</param>
    /// <exception cref="ApiException">There is no such model, or the chat is not valid for it.</exception>
    public static async Task<ChatAnswers> StartAsync(
        ApiRequest request, string? model, IReadOnlyList<ChatMessage> messages, Func<int, ChatOptions> options, int count = 1)
    {
        var answers = new ChatAnswers(request, await AcquireAsync(request, model).ConfigureAwait(false));
        await answers
            .StartAsync(count, (session, index) => session.ChatAsync(messages, options(index) with { Deadline = request.TimeLeft }, request.Cancellation))
            .ConfigureAwait(false);
        return answers;
    }

    /// <summary>Reads all answers to their ends. If one fails, the others are ended at once.</summary>
    /// <returns>The last update of each, which has the whole answer.</returns>
    public async Task<ChatUpdate[]> CompleteAsync()
    {
        ChatUpdate[] answers = await MergedStreams
            .CompleteAsync(Streams, (stream, cancellation) => stream.CompleteAsync(cancellation), Request.Cancellation).ConfigureAwait(false);
        foreach (ChatUpdate answer in answers)
        {
            Log(answer);
        }

        return answers;
    }

    /// <summary>Logs an answer, if its last update is at hand and the options ask for it.</summary>
    public void Log(ChatUpdate last)
    {
        if (last.Message is { } message)
        {
            Request.LogText("Answer", message.Content);
        }
    }

    protected override Task StartAsync(ChatStream stream) => stream.StartAsync();

    protected override int PromptTokensOf(ChatStream stream) => stream.PromptTokenCount;

    protected override string? PromptOf(int index) => index == 0 ? Stream.Chat!.Prompt : null;

    protected override GenerationStatistics? StatisticsOf(ChatStream stream) => stream.Statistics;
}
