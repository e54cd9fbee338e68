using MoeOffload.Inference.Preparation;

namespace MoeOffload.Chat;

/// <summary>Represents a request to answer a chat. Its prompt is rendered when the answer is first read.</summary>
/// <param name="messages">The messages. There is at least one.</param>
/// <param name="options">The options, already validated by <see cref="ChatOptions.ValidateNumbers"/>.</param>
/// <param name="getTemplate">A function that returns the model's own template and parses it at the first call.</param>
internal sealed class ChatSource(IReadOnlyList<ChatMessage> messages, ChatOptions options, Func<ChatTemplate> getTemplate) : IRequestSource
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
    };

    /// <summary>Gets the rendered chat, or null if it has not been rendered yet.</summary>
    public RenderedChat? Chat => _chat;

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
            length += (message?.Content.Length ?? 0L) + (message?.ReasoningContent?.Length ?? 0L) + (message?.ToolCalls.Sum(call => (long)call.Arguments.Length) ?? 0L);
        }

        return length;
    }

    /// <inheritdoc/>
    public GenerationRequest Complete()
    {
        RenderedChat chat = (options.Template ?? getTemplate()).Render(messages, options);
        chat.PrepareParser();
        _chat = chat;
        return Limits with { Prompt = chat.Prompt, StopStrings = [.. options.StopStrings, .. chat.StopStrings], Format = chat.Format };
    }
}
