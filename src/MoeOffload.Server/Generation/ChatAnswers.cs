using MoeOffload.Chat;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Generation;

/// <summary>Represents the answers to a chat.</summary>
internal sealed class ChatAnswers : Answers<ChatStream, ChatUpdate>
{
    private ChatAnswers(ApiRequest request, ModelLease lease)
        : base(request, lease)
    {
    }

    /// <summary>Acquires a model and starts answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="model">The name of the model, or <see langword="null"/> to use the default model.</param>
    /// <param name="messages">The messages of the chat.</param>
    /// <param name="options">The function that returns the options of each answer, without the time limit.</param>
    /// <param name="count">The number of answers.</param>
    /// <param name="overflow">What happens if the chat is too long, or <see langword="null"/> for the default of the server.</param>
    /// <exception cref="ApiException">There is no model with this name, or the chat is not valid for it.</exception>
    public static async Task<ChatAnswers> StartAsync(
        ApiRequest request, string? model, IReadOnlyList<ChatMessage> messages, Func<int, ChatOptions> options, int count = 1, ChatOverflow? overflow = null)
    {
        var answers = new ChatAnswers(request, await AcquireAsync(request, model).ConfigureAwait(false));
        IReadOnlyList<ChatMessage> prepared;
        try
        {
            prepared = ChatPreparation.Apply(messages, options(0), request, answers.Model);
        }
        catch
        {
            await answers.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await answers
            .StartAsync(count, (session, index) => answers.Shifting(full => session.ChatAsync(
                prepared,
                options(index) with { Deadline = request.TimeLeft, Overflow = overflow ?? request.Options.Overflow, ContextFull = full },
                request.Cancellation)))
            .ConfigureAwait(false);
        return answers;
    }

    /// <summary>Reads all answers to their end. If one fails, the others are ended immediately.</summary>
    /// <returns>The last update of each answer, which contains the whole answer.</returns>
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

    /// <summary>Logs an answer if it has its last update and the options enable logging.</summary>
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
