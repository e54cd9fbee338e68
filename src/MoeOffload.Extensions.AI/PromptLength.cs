using MoeOffload.Chat;

namespace MoeOffload.Extensions.AI;

/// <summary>Measures prompts in tokens.</summary>
internal static class PromptLength
{
    /// <summary>Returns the number of tokens in the prompt of the next answer of a chat.</summary>
    public static async Task<int> MeasureAsync(MoeModel model, List<ChatMessage> messages, ChatOptions options, CancellationToken cancellationToken)
    {
        ChatTemplate template = options.Template ?? await model.GetChatTemplateAsync(cancellationToken).ConfigureAwait(false);
        RenderedChat chat = await template.RenderAsync(messages, options, cancellationToken).ConfigureAwait(false);
        int[] tokens = await model.Vocabulary.TokenizeAsync(chat.Prompt, addSpecial: true, parseSpecial: true, cancellationToken).ConfigureAwait(false);
        return tokens.Length;
    }
}
