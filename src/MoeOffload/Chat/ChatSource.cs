using MoeOffload.Inference.Preparation;

namespace MoeOffload.Chat;

/// <summary>Represents a request to answer a chat, whose prompt is rendered once the answer is read.</summary>
/// <param name="messages">The messages; there is at least one.</param>
/// <param name="options">How to answer, validated as far as <see cref="ChatOptions.ValidateNumbers"/> does.</param>
/// <param name="getTemplate">Returns the model's own template, which is parsed the first time.</param>
internal sealed class ChatSource(IReadOnlyList<ChatMessage> messages, ChatOptions options, Func<ChatTemplate> getTemplate) : IRequestSource
{
    private volatile RenderedChat? _chat;

    /// <inheritdoc/>
    public GenerationRequest Limits { get; } = new()
    {
        Sampling = options.Sampling,
        MaxTokens = options.MaxTokens,
        Priority = options.Priority,
        Deadline = options.Deadline,
    };

    /// <summary>Gets the rendered chat; null until it is rendered.</summary>
    public RenderedChat? Chat => _chat;

    /// <inheritdoc/>
    public long MeasureLength()
    {
        long length = PlainRequest.MeasureGrammar(options.Sampling) + PlainRequest.MeasureSchema(options.ResponseSchema?.ToString());
        foreach (ToolDefinition tool in options.Tools)
        {
            length += (tool?.Description?.Length ?? 0L) + PlainRequest.MeasureSchema(tool?.Parameters);
        }

        foreach (ChatMessage message in messages)
        {
            length += (message?.Content?.Length ?? 0L) + (message?.ReasoningContent?.Length ?? 0L) + (message?.ToolCalls.Sum(call => (long)call.Arguments.Length) ?? 0L);
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
