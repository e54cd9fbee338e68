using Microsoft.Extensions.Logging;
using MoeOffload.Inference.Preparation;

namespace MoeOffload.Chat;

/// <summary>Represents a request to answer a chat. Its prompt is rendered when the answer is first read.</summary>
/// <param name="messages">The messages. There is at least one.</param>
/// <param name="options">The options, already validated by <see cref="ChatOptions.ValidateNumbers"/>.</param>
/// <param name="getTemplate">A function that returns the model's own template and parses it at the first call.</param>
/// <param name="room">The room for the prompt.</param>
/// <param name="logger">The logger.</param>
internal sealed class ChatSource(
    IReadOnlyList<ChatMessage> messages, ChatOptions options, Func<ChatTemplate> getTemplate, PromptRoom room, ILogger logger) : IRequestSource
{
    private volatile RenderedChat? _chat;

    /// <inheritdoc/>
    public GenerationRequest Limits { get; } = new()
    {
        Sampling = options.Sampling,
        MaxTokens = options.MaxTokens,
        StopTokens = options.StopTokens,
        Priority = options.Priority,
        Deadline = options.Deadline,
        ContextFull = options.ContextFull,
        KeepTokens = options.KeepTokens,
    };

    /// <summary>Gets the rendered chat, or null if it has not been rendered yet.</summary>
    public RenderedChat? Chat => _chat;

    /// <summary>Gets the number of messages that were left out.</summary>
    public int OmittedMessageCount { get; private set; }

    /// <inheritdoc/>
    public long MeasureLength()
    {
        long length = PlainRequest.MeasureGrammar(options.Sampling) + PlainRequest.MeasureSchema(options.ResponseSchema?.ToString());
        foreach (ToolDefinition tool in options.Tools)
        {
            length += (tool?.Description.Length ?? 0L) + PlainRequest.MeasureSchema(tool?.Parameters);
        }

        foreach (ChatMessage message in messages)
        {
            length += message?.Parts.Sum(part => part.Image?.Data.Length ?? 0L) ?? 0L;
            length += (message?.Content.Length ?? 0L) + (message?.ReasoningContent?.Length ?? 0L) + (message?.ToolCalls.Sum(call => (long)call.Arguments.Length) ?? 0L);
        }

        return length;
    }

    /// <inheritdoc/>
    public GenerationRequest Complete()
    {
        ChatTemplate template = options.Template ?? getTemplate();
        RenderedChat chat = template.Render(messages, options);
        int[]? prompt = null;
        if (options.Overflow == ChatOverflow.OmitOldestTurns && !room.Holds(chat, options.MaxTokens, out prompt))
        {
            (chat, prompt) = Shorten(template, chat, prompt!);
        }

        chat.PrepareParser();
        _chat = chat;
        return Limits with
        {
            Prompt = chat.Prompt,
            PromptTokens = chat.Images.Count == 0 ? prompt : null,
            Images = chat.Images,
            StopStrings = [.. options.StopStrings, .. chat.StopStrings],
            Format = chat.Format,
        };
    }

    // Searches for the first step that fits. If none does, the last one leaves the last turn only.
    private (RenderedChat Chat, int[]? Prompt) Shorten(ChatTemplate template, RenderedChat whole, int[] wholePrompt)
    {
        var turns = new ChatTurns(messages);
        int limit = room.RoomFor(options.MaxTokens);
        int[] steps = turns.Steps(limit, room.Measure);
        (RenderedChat Chat, int[]? Prompt) found = (whole, wholePrompt);
        int low = 0;
        int high = steps.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            IReadOnlyList<ChatMessage> kept = turns.Without(steps[middle]);
            RenderedChat chat = template.Render(kept, options);
            bool holds = room.Holds(chat, options.MaxTokens, out int[]? prompt);
            if (holds || middle == steps.Length - 1)
            {
                found = (chat, prompt);
                OmittedMessageCount = messages.Count - kept.Count;
            }

            (low, high) = holds ? (low, middle) : (middle + 1, high);
        }

        if (OmittedMessageCount > 0)
        {
            ChatLog.TurnsOmitted(logger, OmittedMessageCount, messages.Count, wholePrompt.Length, limit);
        }

        return found;
    }
}
