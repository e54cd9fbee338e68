using Microsoft.Extensions.AI;
using MoeOffload.Embeddings;

namespace MoeOffload.Extensions.AI;

/// <summary>Provides models, sessions and embedders as clients of Microsoft.Extensions.AI.</summary>
public static class MoeOffloadAIExtensions
{
    /// <summary>Returns a chat client that uses a session.</summary>
    /// <param name="session">The session. Disposing the client does not dispose it.</param>
    /// <param name="options">The options of the client, or <see langword="null"/> for the default options.</param>
    /// <returns>
    /// A client that can be used from several threads at the same time. Requests that the session cannot run at the same time wait in its queue.
    /// </returns>
    /// <remarks>
    /// The client honors all properties of <see cref="ChatOptions"/> except these: <see cref="ChatOptions.AllowBackgroundResponses"/> has no
    /// effect, and summaries of the reasoning are not made, so <see cref="ReasoningOutput.Summary"/> returns all of it. The schema of a
    /// response constrains the output, but few chat templates show it to the model, so a message should describe the answer. Requests for what
    /// a text model in the process cannot do, such as images, tools that a service executes, or another model, throw a
    /// <see cref="NotSupportedException"/>. The exceptions of <see cref="GenerationSession.ChatAsync"/> and of its stream are passed on.
    /// Additional properties that are known are <c>min_p</c>, <c>repeat_penalty</c>, <c>grammar</c>, <c>priority</c>, <c>deadline</c> and
    /// <c>chat_template_kwargs</c>. If <see cref="ChatOptions.RawRepresentationFactory"/> returns a <see cref="Chat.ChatOptions"/>, it
    /// replaces <see cref="MoeChatClientOptions.Defaults"/>.
    /// </remarks>
    public static IChatClient AsChatClient(this GenerationSession session, MoeChatClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(session);
        return new MoeChatClient(session, options ?? new MoeChatClientOptions(), ownsSession: false);
    }

    /// <summary>Creates a session and returns a chat client that uses it.</summary>
    /// <param name="model">The model. Disposing the client does not dispose it.</param>
    /// <param name="context">The options of the session, or <see langword="null"/> for the default options.</param>
    /// <param name="options">The options of the client, or <see langword="null"/> for the default options.</param>
    /// <returns>A client whose session is disposed together with it.</returns>
    /// <inheritdoc cref="AsChatClient(GenerationSession, MoeChatClientOptions?)" path="/remarks"/>
    /// <inheritdoc cref="MoeModel.CreateSession" path="/exception"/>
    public static IChatClient AsChatClient(this MoeModel model, ContextOptions? context = null, MoeChatClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new MoeChatClient(model.CreateSession(context), options ?? new MoeChatClientOptions(), ownsSession: true);
    }

    /// <summary>Returns an embedding generator that uses an embedder.</summary>
    /// <param name="embedder">The embedder. Disposing the generator does not dispose it.</param>
    /// <param name="modelId">The id of the model in the metadata and the results, or <see langword="null"/> if it has none.</param>
    /// <remarks>
    /// Requests for another model, or for another number of dimensions than the model has, throw a <see cref="NotSupportedException"/>. The
    /// exceptions of <see cref="Embedder.EmbedAsync(IReadOnlyList{string}, CancellationToken)"/> are passed on.
    /// </remarks>
    public static IEmbeddingGenerator<string, Embedding<float>> AsEmbeddingGenerator(this Embedder embedder, string? modelId = null)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        return new MoeEmbeddingGenerator(embedder, modelId);
    }

    /// <summary>Counts the tokens of a chat, as the chat template of a model renders it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="options">The options, whose tools and instructions are part of the prompt, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">A token that cancels the operation.</param>
    /// <returns>The number of tokens in the prompt of the next answer.</returns>
    /// <exception cref="ArgumentException">There are no messages, or one of them or an option is not valid.</exception>
    /// <exception cref="NotSupportedException">
    /// A message or an option requests something that a text model in the process cannot do, or the model has no chat template.
    /// </exception>
    /// <exception cref="ChatTemplateException">The chat template failed or rejected the messages.</exception>
    public static async Task<int> CountTokensAsync(
        this MoeModel model, IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(messages);
        PromptLength prompts = await PromptLength.CreateAsync(model, options, cancellationToken).ConfigureAwait(false);
        return await prompts.MeasureAsync(messages, cancellationToken).ConfigureAwait(false);
    }
}
