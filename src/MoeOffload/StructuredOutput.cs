using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Chat;

namespace MoeOffload.Schemas;

/// <summary>Answers as .NET types: the type's JSON schema constrains what the model writes.</summary>
public static class StructuredOutput
{
    /// <summary>Continues a prompt with JSON of a type.</summary>
    /// <param name="session">Where to generate.</param>
    /// <param name="prompt">The prompt, taken as it is. It should say what is wanted: the model does not see the schema.</param>
    /// <param name="type">The type, of a source-generated context for instance.</param>
    /// <param name="sampling">How tokens are chosen; null takes the defaults.</param>
    /// <param name="maxTokens">The most tokens to generate; null goes on until the JSON is whole or the context is full.</param>
    /// <param name="cancellationToken">Ends the generation within one step.</param>
    /// <exception cref="StructuredOutputException">The JSON was cut by <paramref name="maxTokens"/> or the context, or the type refused it.</exception>
    /// <inheritdoc cref="GenerationSession.GenerateAsync(GenerationRequest, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="TokenStream.StartAsync" path="/exception"/>
    public static async Task<T> GenerateAsync<T>(
        this GenerationSession session,
        string prompt,
        JsonTypeInfo<T> type,
        SamplingOptions? sampling = null,
        int? maxTokens = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        JsonSchema schema = await Task.Run(() => JsonSchema.For(type), cancellationToken).ConfigureAwait(false);
        sampling = (sampling ?? new SamplingOptions()) with { JsonSchema = schema };
        TokenStream stream = session.GenerateAsync(prompt, sampling, maxTokens, cancellationToken);
        var text = new StringBuilder();
        await foreach (GeneratedToken token in stream.ConfigureAwait(false))
        {
            text.Append(token.Text);
        }

        return Read(text.ToString(), type, isCut: stream.StopReason is not StopReason.EndOfSequence);
    }

    /// <summary>Answers a chat with JSON of a type.</summary>
    /// <param name="session">Where to generate.</param>
    /// <param name="messages">The messages, the first one first. They should say what is wanted: few templates show the schema.</param>
    /// <param name="type">The type, of a source-generated context for instance.</param>
    /// <param name="options">How to answer; null takes the defaults. Its <see cref="ChatOptions.ResponseSchema"/> is the type's.</param>
    /// <param name="cancellationToken">Ends the generation within one step.</param>
    /// <exception cref="StructuredOutputException">The JSON was cut by the most tokens or the context, or the type refused it.</exception>
    /// <inheritdoc cref="GenerationSession.ChatAsync" path="/exception"/>
    /// <inheritdoc cref="TokenStream.StartAsync" path="/exception"/>
    public static async Task<T> ChatAsync<T>(
        this GenerationSession session,
        IReadOnlyList<ChatMessage> messages,
        JsonTypeInfo<T> type,
        ChatOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        JsonSchema schema = await Task.Run(() => JsonSchema.For(type), cancellationToken).ConfigureAwait(false);
        options = (options ?? new ChatOptions()) with { ResponseSchema = schema };
        ChatStream stream = session.ChatAsync(messages, options, cancellationToken);
        ChatUpdate answer = await stream.CompleteAsync(cancellationToken).ConfigureAwait(false);
        return Read(answer.Message!.Content, type, isCut: answer.FinishReason == ChatFinishReason.Length);
    }

    private static T Read<T>(string json, JsonTypeInfo<T> type, bool isCut)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type)!;
        }
        catch (JsonException error)
        {
            throw new StructuredOutputException(
                isCut
                    ? $"The output was cut before its JSON was whole, after {json.Length} characters: allow more tokens, or a larger context."
                    : $"The output does not fit the type {typeof(T).Name}: {error.Message}",
                error)
            {
                Output = json,
            };
        }
    }
}
