using MoeOffload.Chat;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatOptions = Microsoft.Extensions.AI.ChatOptions;

namespace MoeOffload.Extensions.AI;

/// <summary>Measures prompts with the same options in tokens.</summary>
internal sealed class PromptLength
{
    private readonly MoeModel _model;
    private readonly Chat.ChatOptions _options;
    private readonly string? _instructions;

    private PromptLength(MoeModel model, Chat.ChatOptions options, string? instructions)
    {
        _model = model;
        _options = options;
        _instructions = instructions;
    }

    /// <summary>Maps the options of the prompts once.</summary>
    public static async Task<PromptLength> CreateAsync(MoeModel model, ChatOptions? options, CancellationToken cancellationToken)
    {
        var mapping = new OptionsMapping(new Chat.ChatOptions(), modelId: null, logger: null);
        Chat.ChatOptions mapped = await mapping.MapAsync(options, client: null, cancellationToken).ConfigureAwait(false);
        return new PromptLength(model, mapped, options?.Instructions);
    }

    /// <summary>Returns the number of tokens in the prompt of the next answer of a chat.</summary>
    public async Task<int> MeasureAsync(IEnumerable<ChatMessage> messages, CancellationToken cancellationToken)
    {
        List<Chat.ChatMessage> mapped = MessageMapping.Map(messages, _instructions);
        ChatTemplate template = await _model.GetChatTemplateAsync(cancellationToken).ConfigureAwait(false);
        RenderedChat chat = await template.RenderAsync(mapped, _options, cancellationToken).ConfigureAwait(false);
        return await _model.CountTokensAsync(chat, cancellationToken).ConfigureAwait(false);
    }
}
