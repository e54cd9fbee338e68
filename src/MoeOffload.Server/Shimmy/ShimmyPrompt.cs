using System.Text;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Shimmy;

/// <summary>Represents a generate request of shimmy's API: messages, which the chat template formats, or a prompt, which is continued unchanged.</summary>
/// <param name="Model">The name of the model.</param>
/// <param name="Messages">The messages, which take precedence over the prompt.</param>
/// <param name="Prompt">The prompt.</param>
/// <param name="Sampling">The sampling options.</param>
/// <param name="MaxTokens">The maximum number of tokens of the answer.</param>
/// <param name="IsStreamed">Whether the answer is streamed.</param>
internal sealed record ShimmyPrompt(
    string Model, IReadOnlyList<ChatMessage>? Messages, string Prompt, SamplingOptions Sampling, int? MaxTokens, bool IsStreamed)
{
    private const int DefaultMaxTokens = 256;

    /// <summary>Reads a request.</summary>
    /// <exception cref="ApiException">A field has the wrong type or is out of range.</exception>
    public static ShimmyPrompt Read(JsonFields body, ApiRequest request)
    {
        string model = body.RequiredText("model");
        SamplingOptions sampling = request.Options.Sampling with
        {
            Temperature = body.Number("temperature", 0, 100) ?? 0.7f,
            TopP = body.Number("top_p", 0, 1) ?? 0.9f,
            TopK = Math.Max(0, body.Integer("top_k", -1) ?? 40),
        };
        string? system = body.Text("system");
        IReadOnlyList<ChatMessage>? messages = body.Has("messages") ? ReadMessages(body, system) : null;
        string? prompt = body.Text("prompt");
        return messages is null && prompt is null
            ? throw body.Missing("prompt")
            : new ShimmyPrompt(
                model,
                messages,
                prompt ?? string.Empty,
                sampling,
                request.LimitTokens(body.Integer("max_tokens", 1) ?? DefaultMaxTokens),
                body.Flag("stream") ?? true);
    }

    /// <summary>Generates the answer part by part.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sendAsync">The function that sends a part, which is never empty.</param>
    /// <param name="cancellation">A token to cancel the generation.</param>
    /// <returns>The whole answer.</returns>
    public async Task<string> AnswerAsync(ApiRequest request, Func<string, Task> sendAsync, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        TextAnswers answers = await TextAnswers.StartAsync(request, Model, (model, _) => ToRequest(model), cancellation: cancellation).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            await foreach ((_, GeneratedToken token) in answers.ReadAsync().ConfigureAwait(false))
            {
                if (!token.Utf8.IsEmpty)
                {
                    text.Append(token.Text);
                    await sendAsync(token.Text).ConfigureAwait(false);
                }
            }

            answers.Log(text.ToString());
        }

        return text.ToString();
    }

    private static List<ChatMessage> ReadMessages(JsonFields body, string? system)
    {
        List<ChatMessage> messages = string.IsNullOrEmpty(system) ? [] : [ChatMessage.System(system)];
        foreach (JsonFields message in body.Objects("messages"))
        {
            string content = message.Text("content") ?? throw message.Missing("content");
            messages.Add((message.Word("role", "system", "user", "assistant") ?? throw message.Missing("role")) switch
            {
                "system" => ChatMessage.System(content),
                "user" => ChatMessage.User(content),
                _ => ChatMessage.Assistant(content),
            });
        }

        return messages.Count > 0 ? messages : throw ApiException.Invalid("'messages' is empty: add one, or send a prompt.", "messages");
    }

    // This API has no field for reasoning, so it is part of the text.
    private GenerationRequest ToRequest(MoeModel model)
    {
        var generation = new GenerationRequest { Prompt = Prompt, Sampling = Sampling, MaxTokens = MaxTokens };
        if (Messages is null)
        {
            return generation;
        }

        RenderedChat chat = model.ChatTemplate.Render(Messages);
        return generation with { Prompt = chat.Prompt, StopStrings = chat.StopStrings };
    }
}
