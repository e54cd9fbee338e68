using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using MoeOffload.Chat;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatOptions = Microsoft.Extensions.AI.ChatOptions;
using ChatRole = Microsoft.Extensions.AI.ChatRole;

namespace MoeOffload.Extensions.AI;

/// <summary>Answers chats with a session.</summary>
internal sealed class MoeChatClient : IChatClient
{
    private readonly GenerationSession _session;
    private readonly bool _ownsSession;
    private readonly string _modelId;
    private readonly ChatClientMetadata _metadata;
    private readonly OptionsMapping _mapping;
    private readonly ConversationStore? _conversations;

    /// <summary>Creates a client.</summary>
    /// <param name="session">The session.</param>
    /// <param name="options">The options.</param>
    /// <param name="ownsSession"><see langword="true"/> to dispose the session together with the client.</param>
    public MoeChatClient(GenerationSession session, MoeChatClientOptions options, bool ownsSession)
    {
        _session = session;
        _ownsSession = ownsSession;
        _modelId = options.ModelId ?? session.Model.Id;
        _metadata = new ChatClientMetadata(ClientTelemetry.Provider, providerUri: null, _modelId);
        _mapping = new OptionsMapping(options.Defaults, _modelId, options.Logger);
        _conversations = options.KeptConversations > 0 ? new ConversationStore(options.KeptConversations) : null;
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ClientTelemetry telemetry = ClientTelemetry.Start(ClientTelemetry.Chat, _modelId);
        try
        {
            ChatResponse response = await AnswerAsync(messages, options, cancellationToken).ConfigureAwait(false);
            telemetry.End(response.Usage);
            return response;
        }
        catch (Exception failure)
        {
            telemetry.Fail(failure);
            throw;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IAsyncEnumerable<ChatResponseUpdate> updates = StreamAsync(messages, options, cancellationToken);
        return ClientTelemetry.IsEnabled ? MeasureAsync(updates, cancellationToken) : updates;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType == typeof(GenerationSession) ? _session
            : serviceType == typeof(MoeModel) ? _session.Model
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_ownsSession)
        {
            _session.Dispose();
        }
    }

    private async Task<ChatResponse> AnswerAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        Answer answer = await StartAsync(messages, options, cancellationToken).ConfigureAwait(false);
        await using (((IAsyncDisposable)answer.Stream).ConfigureAwait(false))
        {
            ChatUpdate last = await answer.Stream.CompleteAsync(cancellationToken).ConfigureAwait(false);
            Chat.ChatMessage message = last.Message!;
            List<AIContent> contents = [.. ResponseMapping.MapText(answer.Shown(message.ReasoningContent), message.Content), .. ResponseMapping.MapCalls(message.ToolCalls)];
            return new ChatResponse(new ChatMessage(ChatRole.Assistant, contents) { MessageId = answer.MessageId, CreatedAt = answer.CreatedAt, RawRepresentation = message })
            {
                ResponseId = answer.ResponseId,
                ConversationId = Keep(answer, message),
                ModelId = _modelId,
                CreatedAt = answer.CreatedAt,
                FinishReason = ResponseMapping.Map(last.FinishReason),
                Usage = await MeasureAsync(answer.Stream, last, cancellationToken).ConfigureAwait(false),
                RawRepresentation = last,
            };
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> MeasureAsync(
        IAsyncEnumerable<ChatResponseUpdate> stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ClientTelemetry telemetry = ClientTelemetry.Start(ClientTelemetry.Chat, _modelId);
        UsageDetails? usage = null;
        IAsyncEnumerator<ChatResponseUpdate> updates = stream.GetAsyncEnumerator(cancellationToken);
        try
        {
            while (await NextAsync(updates, telemetry).ConfigureAwait(false))
            {
                if (updates.Current.FinishReason is not null)
                {
                    usage = updates.Current.Contents.OfType<UsageContent>().LastOrDefault()?.Details;
                }

                yield return updates.Current;
            }

            telemetry.End(usage);
        }
        finally
        {
            await updates.DisposeAsync().ConfigureAwait(false);
            telemetry.Abandon();
        }
    }

    // No exception can be caught around a yield.
    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<ChatResponseUpdate> updates, ClientTelemetry telemetry)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            telemetry.Fail(failure);
            throw;
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Answer answer = await StartAsync(messages, options, cancellationToken).ConfigureAwait(false);
        await using (((IAsyncDisposable)answer.Stream).ConfigureAwait(false))
        {
            await foreach (ChatUpdate update in answer.Stream.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                List<AIContent> contents = [.. ResponseMapping.MapText(answer.Shown(update.ReasoningContent), update.Content)];
                string? conversation = null;
                if (update.Message is { } message)
                {
                    contents.AddRange(ResponseMapping.MapCalls(message.ToolCalls));
                    contents.Add(new UsageContent(await MeasureAsync(answer.Stream, update, cancellationToken).ConfigureAwait(false)));
                    conversation = Keep(answer, message);
                }

                if (contents.Count > 0)
                {
                    yield return new ChatResponseUpdate(ChatRole.Assistant, contents)
                    {
                        ResponseId = answer.ResponseId,
                        MessageId = answer.MessageId,
                        ConversationId = conversation,
                        ModelId = _modelId,
                        CreatedAt = answer.CreatedAt,
                        FinishReason = ResponseMapping.Map(update.FinishReason),
                        RawRepresentation = update,
                    };
                }
            }
        }
    }

    private async Task<Answer> StartAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        List<Chat.ChatMessage> history = [.. Find(options?.ConversationId), .. MessageMapping.Map(messages)];
        Chat.ChatOptions mapped = await _mapping.MapAsync(options, this, cancellationToken).ConfigureAwait(false);
        List<Chat.ChatMessage> all = string.IsNullOrEmpty(options?.Instructions) ? history : [Chat.ChatMessage.System(options.Instructions), .. history];
        return new Answer(_session.ChatAsync(all, mapped, cancellationToken), history, hidesReasoning: options?.Reasoning?.Output is ReasoningOutput.None);
    }

    private IReadOnlyList<Chat.ChatMessage> Find(string? conversationId) => conversationId is null ? []
        : _conversations is null ? throw new NotSupportedException(
            "The client keeps no conversations. Set MoeChatClientOptions.KeptConversations, or remove ConversationId and send all messages.")
        : _conversations.Find(conversationId) ?? throw new ArgumentException(
            $"There is no conversation '{conversationId}', or it was forgotten. Send all messages without ConversationId, or increase "
            + "MoeChatClientOptions.KeptConversations.", nameof(conversationId));

    private string? Keep(Answer answer, Chat.ChatMessage message)
    {
        _conversations?.Keep(answer.ResponseId, [.. answer.History, message]);
        return _conversations is null ? null : answer.ResponseId;
    }

    private async Task<UsageDetails> MeasureAsync(ChatStream stream, ChatUpdate last, CancellationToken cancellationToken)
    {
        UsageDetails usage = ResponseMapping.Map(last.Statistics);
        if (stream.OmittedMessageCount > 0)
        {
            usage.AdditionalCounts = new AdditionalPropertiesDictionary<long> { [nameof(ChatStream.OmittedMessageCount)] = stream.OmittedMessageCount };
        }

        if (last.Message?.ReasoningContent is { Length: > 0 } reasoning)
        {
            int[] tokens = await _session.Model.Vocabulary
                .TokenizeAsync(reasoning, addSpecial: false, cancellationToken: cancellationToken).ConfigureAwait(false);
            usage.ReasoningTokenCount = tokens.Length;
        }

        return usage;
    }

    /// <summary>Represents an answer that is being generated.</summary>
    private sealed class Answer(ChatStream stream, IReadOnlyList<Chat.ChatMessage> history, bool hidesReasoning)
    {
        public ChatStream Stream { get; } = stream;

        public IReadOnlyList<Chat.ChatMessage> History { get; } = history;

        public string ResponseId { get; } = $"resp_{Guid.NewGuid():N}";

        public string MessageId { get; } = $"msg_{Guid.NewGuid():N}";

        public DateTimeOffset CreatedAt { get; } = DateTimeOffset.UtcNow;

        public string? Shown(string? reasoning) => hidesReasoning ? null : reasoning;
    }
}
