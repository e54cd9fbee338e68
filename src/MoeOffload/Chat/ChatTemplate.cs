using System.Runtime.ExceptionServices;
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
        RenderedChat chat = Render(ChatRequest.Make(messages, options));

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

    private RenderedChat Render(ChatRequest request)
    {
        RenderedChat prompt = RenderPrompt(request);
        if (!request.HasCallableTools)
        {
            return prompt;
        }

        // Some templates write each argument of a call in its own way, and not every template can show every type.
        byte[] grammar = RenderGrammar(request, ChatRequest.ArgumentForm.Whole)
            ?? FirstOf(() => RenderGrammar(request, ChatRequest.ArgumentForm.ByMember)!, () => RenderGrammar(request, ChatRequest.ArgumentForm.ByPlainMember)!);
        return new RenderedChat(grammar, prompt.Prompt);
    }

    private RenderedChat RenderPrompt(ChatRequest request)
    {
        return request.HasTools ? FirstOf(() => Render(isPlain: false), () => Render(isPlain: true)) : Render(isPlain: false);

        RenderedChat Render(bool isPlain)
        {
            var schemas = new EmbeddedSchemas();
            byte[] rendered = NativeChat.Render(_handle, request.WriteForPrompt(schemas, isPlain), _logger);
            return new RenderedChat(schemas.Link(rendered, request.AnswerSchema), prompt: null);
        }
    }

    // Returns null if the grammar does not have all schemas.
    private byte[]? RenderGrammar(ChatRequest request, ChatRequest.ArgumentForm form)
    {
        var schemas = new EmbeddedSchemas();
        byte[] rendered = NativeChat.Render(_handle, request.WriteForGrammar(schemas, form), _logger);
        using JsonDocument json = JsonDocument.Parse(rendered);
        string grammar = json.RootElement.GetProperty("grammar").GetString()!;
        return form != ChatRequest.ArgumentForm.Whole || grammar.Length == 0 || schemas.AreAllIn(grammar) ? schemas.Link(rendered, shown: null) : null;
    }

    // If both fail, the first error is the one to tell.
    private static T FirstOf<T>(Func<T> render, Func<T> otherwise)
    {
        try
        {
            return render();
        }
        catch (Exception error) when (error is ChatTemplateException or ArgumentException)
        {
            try
            {
                return otherwise();
            }
            catch (Exception again) when (again is ChatTemplateException or ArgumentException)
            {
                ExceptionDispatchInfo.Throw(error);
                throw;
            }
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
