using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MoeOffload.Chat;

namespace MoeOffload.Schemas;

/// <summary>Generates answers as .NET objects. The JSON schema of the type constrains the output of the model.</summary>
public static class StructuredOutput
{
    /// <summary>Continues a prompt with JSON for a type, and deserializes it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="prompt">The prompt. It should describe the expected answer, because the model does not see the schema.</param>
    /// <param name="type">The type, for example from a source-generated context.</param>
    /// <param name="sampling">The sampling options, or <see langword="null"/> for the default options.</param>
    /// <param name="maxTokens">
    /// The maximum number of tokens to generate, or <see langword="null"/> to generate until the JSON is complete or the context is full.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the generation within one step.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="StructuredOutputException">
    /// The JSON was cut off by <paramref name="maxTokens"/> or the end of the context, or it cannot be deserialized to the type.
    /// </exception>
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

    /// <summary>Answers a chat with JSON for a type, and deserializes it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="messages">
    /// The messages, in chronological order. They should describe the expected answer, because few templates show the schema to the model.
    /// </param>
    /// <param name="type">The type, for example from a source-generated context.</param>
    /// <param name="options">
    /// The options, or <see langword="null"/> for the default options. <see cref="ChatOptions.ResponseSchema"/> is replaced by the schema of
    /// the type.
    /// </param>
    /// <param name="cancellationToken">A token that cancels the generation within one step.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="StructuredOutputException">
    /// The JSON was cut off by <see cref="ChatOptions.MaxTokens"/> or the end of the context, or it cannot be deserialized to the type.
    /// </exception>
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
