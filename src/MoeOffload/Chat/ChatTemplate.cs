using System.Text.Json;
using Microsoft.Extensions.Logging;
using MoeOffload.Native;
using MoeOffload.Shared;

namespace MoeOffload.Chat;

/// <summary>
/// Represents a parsed Jinja chat template, which renders messages to prompts and parses answers to messages. Instances are thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    private readonly ChatTemplateHandle _handle;
    private readonly ILogger _logger;

    private ChatTemplate(ChatTemplateHandle handle, ILogger logger)
    {
        _handle = handle;
        _logger = logger;
        using JsonDocument description = JsonDocument.Parse(NativeChat.Describe(handle));
        Source = description.RootElement.GetProperty("source").GetString()!;
        ToolUseSource = description.RootElement.GetProperty("tool_use_source").GetString() is { Length: > 0 } tools ? tools : null;
        JsonElement caps = description.RootElement.GetProperty("caps");
        Capabilities = new ChatTemplateCapabilities
        {
            SystemRole = caps.GetProperty("supports_system_role").GetBoolean(),
            Tools = caps.GetProperty("supports_tools").GetBoolean(),
            ToolCalls = caps.GetProperty("supports_tool_calls").GetBoolean(),
            ParallelToolCalls = caps.GetProperty("supports_parallel_tool_calls").GetBoolean(),
        };
    }

    /// <summary>Gets the source of the template.</summary>
    public string Source { get; }

    /// <summary>
    /// Gets the source of the template that is used for chats with tools, or <see langword="null"/> if the model has no separate template
    /// for them.
    /// </summary>
    public string? ToolUseSource { get; }

    /// <summary>Gets the capabilities of the template.</summary>
    public ChatTemplateCapabilities Capabilities { get; }

    /// <summary>
    /// Renders the prompt of a chat, up to the beginning of the model's answer. Blocks for a time that grows with the messages and the
    /// schemas; see <see cref="RenderAsync"/>.
    /// </summary>
    /// <param name="messages">The messages, in chronological order.</param>
    /// <param name="options">The options, or <see langword="null"/> for the default options. <see cref="ChatOptions.Template"/> is ignored.</param>
    /// <exception cref="ArgumentException">A message, a tool or an option is not valid, or a schema cannot be enforced.</exception>
    /// <exception cref="ChatTemplateException">The template failed or rejected the messages.</exception>
    /// <exception cref="NotSupportedException">A tool call is required, but the template does not support tool calls.</exception>
    public RenderedChat Render(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        options ??= new ChatOptions();
        options.ValidateNumbers();
        options.ValidateContent();
        RenderedChat chat = Render(ChatRequest.Make(messages, options), options);
        if (chat.Grammar is null)
        {
            // Nothing has converted the schemas, and those that are not valid are still errors.
            ChatRequest.CheckSchemas(options);
        }

        // llama.cpp leaves the answer free where it finds no form of calls in the template.
        return chat.Grammar is not null || !options.ToolChoice.IsRequired
            ? chat
            : throw new NotSupportedException(
                "ToolChoice requires a tool call, but the chat template does not support tool calls. Use ToolChoice.Auto, a ResponseSchema, or a template that supports tools.");
    }

    /// <summary>Renders the prompt of a chat, up to the beginning of the model's answer, without blocking the caller.</summary>
    /// <param name="messages">The messages, in chronological order. They must not change until the task completes.</param>
    /// <param name="options">The options, or <see langword="null"/> for the default options. <see cref="ChatOptions.Template"/> is ignored.</param>
    /// <param name="cancellationToken">A token that cancels the wait. The template itself continues, and its result is discarded.</param>
    /// <inheritdoc cref="Render(IReadOnlyList{ChatMessage}, ChatOptions?)" path="/exception"/>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task<RenderedChat> RenderAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return BackgroundCall.ComputeAsync(() => Render(messages, options), cancellationToken);
    }

    private RenderedChat Render(ChatRequest request, ChatOptions options)
    {
        try
        {
            var prompt = new RenderedChat(NativeChat.Render(_handle, request.ForPrompt, _logger), prompt: null);
            return ReferenceEquals(request.ForPrompt, request.ForGrammar)
                ? prompt
                : new RenderedChat(NativeChat.Render(_handle, request.ForGrammar, _logger), prompt.Prompt);
        }
        catch (Exception exception) when (exception is ChatTemplateException or ArgumentException)
        {
            // llama.cpp does not say which schema it could not convert, or converted to a grammar that is too large.
            ChatRequest.CheckSchemas(options);
            throw;
        }
    }

    /// <summary>Parses a template.</summary>
    internal static ChatTemplate Parse(LoadedModel model, string? source, ILogger logger)
    {
        string?[] sources = source is not null
            ? [source]
            : [model.Metadata.GetValueOrDefault("tokenizer.chat_template"), model.Metadata.GetValueOrDefault("tokenizer.chat_template.tool_use")];
        foreach (string text in sources.OfType<string>())
        {
            ChatTemplateGuard.Check(text);
        }

        using LoadedModel.Use use = model.Enter();
        return new ChatTemplate(NativeChat.Parse(model.Native.Handle, source, logger), logger);
    }
}
