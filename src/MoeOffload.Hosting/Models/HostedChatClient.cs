using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace MoeOffload.Hosting.Models;

/// <summary>Passes requests on to the chat client of a model when it is loaded.</summary>
internal sealed class HostedChatClient(HostedModel model) : IChatClient
{
    private const string Provider = "moeoffload";

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IChatClient client = await model.GetChatClientAsync(cancellationToken).ConfigureAwait(false);
        return await client.GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        IChatClient client = await model.GetChatClientAsync(cancellationToken).ConfigureAwait(false);
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(messages, options, cancellationToken).ConfigureAwait(false))
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType == typeof(HostedModel) ? model
            : model.Parts?.ChatClient is { } client ? client.GetService(serviceType)

            // Decorators ask for this when they are created, which is before the model is loaded.
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(Provider, providerUri: null, model.Id)
            : null;
    }

    public void Dispose()
    {
        // The model belongs to the host.
    }
}
