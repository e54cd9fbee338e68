using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Schemas;
using MoeOffload.Shared;

namespace MoeOffload.Chat;

/// <summary>
/// Represents a parsed Jinja chat template, which renders messages to prompts and parses answers to messages. Instances are thread-safe.
/// </summary>
public sealed class ChatTemplate
{
    // Takes the place of a content, to find the place in the prompt. No template changes such a word.
    private const string Mark = "qzcontinuezq";

    /// <summary>llama.cpp's name of the ChatML format.</summary>
    internal const string ChatMl = "chatml";

    private static readonly string[] s_keys = ["tokenizer.chat_template", "tokenizer.chat_template.tool_use"];

    private readonly ChatTemplateHandle _handle;
    private readonly ILogger _logger;
    private readonly HistoryRenderer _history;
    private readonly Lazy<bool> _canReason;
    private readonly Func<string, bool> _isToken;
    private readonly string _endToken;
    private readonly ChatTemplateHandle? _calls;
    private readonly bool _takesImages;

    private ChatTemplate(
        ChatTemplateHandle handle, ILogger logger, Func<string, bool> isToken, string endToken, ChatTemplateHandle? calls, bool takesImages)
    {
        _takesImages = takesImages;
        _calls = calls;
        _isToken = isToken;
        _endToken = endToken;
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
        _history = new HistoryRenderer(Capabilities.SystemRole);
        _canReason = new Lazy<bool>(FindReasoning);
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
    /// <exception cref="NotSupportedException">
    /// A tool call is required, or tools are combined with a schema, but the template does not show tools to the model; or it has no form of
    /// answers that follow a schema; or the question has an image, and the model takes only text.
    /// </exception>
    public RenderedChat Render(IReadOnlyList<ChatMessage> messages, ChatOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(messages);
        options ??= new ChatOptions();
        options.ValidateNumbers();
        options.ValidateContent();
        ChatRequest.CheckMessages(messages, options);
        ChatImages images = ChatImages.Take(messages, _takesImages);
        RenderedChat chat = _history.Render(
            images.Messages, options.Tools.Count > 0, history => options.ContinueLastMessage ? RenderContinued(history, options) : RenderForm(history, options));
        chat.EndToken = _endToken;
        chat.Images = images.FindIn(chat.Prompt);
        return chat;
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

    private bool FindReasoning()
    {
        try
        {
            ChatRequest request = ChatRequest.Make([ChatMessage.User("test")], new ChatOptions());
            using JsonDocument rendered = JsonDocument.Parse(NativeChat.Render(_handle, request.WriteForPrompt(new EmbeddedSchemas()), _logger));
            return rendered.RootElement.GetProperty("supports_thinking").GetBoolean();
        }
        catch (ChatTemplateException)
        {
            // The template rejects even this message, and says why when it is used.
            return true;
        }
    }

    // The template shows how the last message begins, and the chat before it which answers there can be.
    private RenderedChat RenderContinued(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        ChatMessage[] before = [.. messages.Take(messages.Count - 1)];
        var shown = new ChatOptions { Tools = options.Tools, ToolChoice = ToolChoice.None, Reasoning = options.Reasoning, TemplateArguments = options.TemplateArguments };
        string prompt = Render(ChatRequest.Make([.. before, messages[^1] with { Content = Mark }], shown, _canReason.Value)).Prompt;
        RenderedChat chat = RenderForm(before is [.., { Role: ChatRole.User }] ? before : [ChatMessage.User(Mark)], options);
        return chat.Continue(messages[^1], prompt, Mark);
    }

    private RenderedChat RenderForm(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        bool mayCall = options.Tools.Count > 0 && options.ToolChoice != ToolChoice.None;
        return mayCall && (options.ToolChoice.IsRequired || options.ResponseSchema is not null)
            ? RenderCalls(messages, options)
            : Render(ChatRequest.Make(messages, options, _canReason.Value));
    }

    // The answer must be a call, or it is either a call or JSON of a schema.
    private RenderedChat RenderCalls(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        ChatOptions callable = options with
        {
            ResponseSchema = null,
            ToolChoice = ToolChoice.Auto,
            Tools = [.. options.Tools.Where(tool => options.ToolChoice.ToolName is not { } name || tool.Name == name)],
        };
        ChatOptions forced = options with { ResponseSchema = null, ToolChoice = options.ToolChoice.IsRequired ? options.ToolChoice : ToolChoice.Required };
        ChatRequest request = ChatRequest.Make(messages, callable, _canReason.Value);
        RenderedChat optional = Render(request);
        RenderedChat required = Render(ChatRequest.Make(messages, forced, _canReason.Value));
        AnswerForm form = FormOf(
            options.ReasoningFormat == ReasoningFormat.Separate ? optional : Render(ChatRequest.Make(messages, callable with { ReasoningFormat = ReasoningFormat.Separate }, _canReason.Value)), request);
        (string, string)? schema = options.ToolChoice.IsRequired ? null : ContentOf(options.ResponseSchema!, form);
        if (AnswerGrammar.Make(required, optional, schema, form) is { } grammar)
        {
            return (schema is null ? required : optional).WithGrammar(grammar);
        }

        if (required.Grammar is not null && schema is null)
        {
            return required;
        }

        // llama.cpp finds no form of calls in the template, so that the calls are JSON.
        return Capabilities.Tools
            ? RenderPlainCalls(messages, options, callable, schema, form)
            : throw new NotSupportedException(schema is null
                ? "ToolChoice requires a tool call, but the chat template does not show tools to the model. Use ToolChoice.Auto, a ResponseSchema, or a template that supports tools."
                : "Tools and ResponseSchema are combined, but the chat template does not show tools to the model. Remove one of them, or use a template that supports tools.");
    }

    private static (string Content, string Rules) ContentOf(JsonSchema schema, AnswerForm form)
    {
        (string rules, string root) = schema.Rules;
        return form.AroundContent(root) is { } content
            ? (content, rules)
            : throw new NotSupportedException("Tools and ResponseSchema are combined, but answers in the format of this chat template cannot be both. Remove one of them.");
    }

    private AnswerForm FormOf(RenderedChat chat, ChatRequest request) => new(chat, answer => RenderPrompt(request.Showing(answer)).Prompt, _isToken);

    private RenderedChat RenderPlainCalls(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, ChatOptions callable, (string Content, string Rules)? schema, AnswerForm form)
    {
        ChatOptions shown = options with { ResponseSchema = null, ToolChoice = ToolChoice.None };
        RenderedChat chat = Render(ChatRequest.Make(messages, shown, _canReason.Value));
        return chat.WithGrammar(AnswerGrammar.MakePlain(ChatRequest.ToCallGrammar(callable.Tools), schema, form), hasPlainCalls: true);
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

    private RenderedChat RenderPrompt(ChatRequest request) =>
        request.HasTools ? FirstOf(() => RenderPrompt(request, isPlain: false), () => RenderPrompt(request, isPlain: true)) : RenderPrompt(request, isPlain: false);

    private RenderedChat RenderPrompt(ChatRequest request, bool isPlain)
    {
        var schemas = new EmbeddedSchemas();
        byte[] rendered = NativeChat.Render(_handle, request.WriteForPrompt(schemas, isPlain), _logger);
        return new RenderedChat(schemas.Link(rendered, request.AnswerSchema, () => FormOf(RenderPrompt(request.WithFreeAnswer(), isPlain), request)), prompt: null);
    }

    // Returns null if the grammar does not have all schemas.
    private byte[]? RenderGrammar(ChatRequest request, ChatRequest.ArgumentForm form)
    {
        var schemas = new EmbeddedSchemas();
        byte[] rendered = NativeChat.Render(_calls ?? _handle, request.WriteForGrammar(schemas, form), _logger);
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

    /// <summary>Determines whether a model has a template.</summary>
    internal static bool IsIn(LoadedModel model) => Array.Exists(s_keys, key => model.Metadata.GetValueOrDefault(key) is { Length: > 0 });

    /// <summary>Parses a template.</summary>
    internal static ChatTemplate Parse(LoadedModel model, string? source, ILogger logger)
    {
        string?[] sources = source is not null ? [source] : [.. s_keys.Select(key => model.Metadata.GetValueOrDefault(key))];
        foreach (string given in sources.OfType<string>())
        {
            ChatTemplateGuard.Check(given);
        }

        // llama.cpp does not recognize calls with an id behind the name (Mistral Small 3.2) if a text ends them.
        using ModelAccess.Use use = model.Enter();
        NativeVocabulary vocabulary = model.Native.Vocabulary;
        return new ChatTemplate(
            NativeChat.Parse(model.Native.Handle, source, logger),
            logger,
            tag => vocabulary.Tokenize(Encoding.UTF8.GetBytes(tag), addSpecial: false, parseSpecial: true).Length == 1,
            TextOf(vocabulary, vocabulary.EndOfSequence),
            sources is [{ } text, ..] && text.Contains("[CALL_ID]", StringComparison.Ordinal)
                ? NativeChat.Parse(model.Native.Handle, text.Replace("eos_token", "''", StringComparison.Ordinal), logger)
                : null,
            model.Projector is not null);
    }

    private static string TextOf(NativeVocabulary vocabulary, int token)
    {
        var text = new List<byte>();
        if (token >= 0)
        {
            vocabulary.AppendPiece(token, special: true, text);
        }

        return Encoding.UTF8.GetString([.. text]);
    }
}
