using MoeOffload.Chat;

namespace MoeOffload.Server.Ollama;

/// <summary>Ollama's <c>POST /api/chat</c>.</summary>
internal static class ChatEndpoint
{
    public static async Task HandleAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        OllamaSettings settings = OllamaSettings.Read(body, request);
        IReadOnlyList<ChatMessage> messages = OllamaChat.ReadMessages(body);
        IReadOnlyList<ToolDefinition> tools = OllamaChat.ReadTools(body);
        if (messages.Count == 0)
        {
            string reason = await OllamaLoading.LoadOnlyAsync(request, settings).ConfigureAwait(false);
            await request.WriteJsonAsync(
                new ChatAnswer(request.Model ?? settings.Model!, DateTime.UtcNow, new AnswerMessage("assistant", string.Empty), true, reason), OllamaJson.Default.ChatAnswer)
                .ConfigureAwait(false);
            return;
        }

        JsonLinesWriter? lines = settings.IsStreamed ? request.MakeLines() : null;
        using (ModelLease lease = await request.AcquireAsync(settings.Model, lines).ConfigureAwait(false))
        {
            TimeSpan load = request.Elapsed;
            using ChatStream chat = lease.Session.ChatAsync(messages, settings.ToChat(tools, request.TimeLeft), request.Cancellation);
            try
            {
                request.CheckPrompt(chat.PromptTokenCount);
                request.LogText("Prompt", chat.Chat.Prompt);
                await AnswerAsync(request, settings, lease, chat, load, lines).ConfigureAwait(false);
            }
            finally
            {
                request.Count(chat.Statistics);
            }
        }

        await OllamaLoading.UnloadAfterAsync(request, settings).ConfigureAwait(false);
    }

    private static async Task AnswerAsync(
        ApiRequest request, OllamaSettings settings, ModelLease lease, ChatStream chat, TimeSpan load, JsonLinesWriter? lines)
    {
        var tokens = new List<GeneratedToken>();
        ChatUpdate? last = null;
        await foreach (ChatUpdate update in (lines?.GatherAsync(chat) ?? chat).ConfigureAwait(false))
        {
            last = update;
            if (lines is null)
            {
                tokens.AddRange(update.Tokens);
                continue;
            }

            IReadOnlyList<AnswerCall>? calls = update.Message is { } whole ? OllamaChat.Calls(whole) : null;
            if (update.Content.Length > 0 || update.ReasoningContent.Length > 0 || calls is not null)
            {
                var message = new AnswerMessage("assistant", update.Content, NullIfEmpty(update.ReasoningContent), calls);
                await lines.SendAsync(
                    new ChatAnswer(
                        lease.Name,
                        DateTime.UtcNow,
                        message,
                        false,
                        Logprobs: OllamaFigures.LogProbabilities(update.Tokens, lease.Model.Vocabulary, settings.Sampling)),
                    OllamaJson.Default.ChatAnswer).ConfigureAwait(false);
            }
        }

        ChatMessage answer = last!.Message!;
        request.LogText("Answer", answer.Content);
        OllamaFigures figures = OllamaFigures.Of(request, load, last.Statistics!, last.FinishReason == ChatFinishReason.Length);
        var end = new ChatAnswer(
            lease.Name,
            DateTime.UtcNow,
            lines is null
                ? new AnswerMessage("assistant", answer.Content, NullIfEmpty(answer.ReasoningContent), OllamaChat.Calls(answer))
                : new AnswerMessage("assistant", string.Empty),
            true,
            figures.DoneReason,
            figures.Total,
            figures.Load,
            figures.PromptTokens,
            figures.Prompt,
            figures.AnswerTokens,
            figures.Decode,
            lines is null ? OllamaFigures.LogProbabilities(tokens, lease.Model.Vocabulary, settings.Sampling) : null);
        await (lines?.SendAsync(end, OllamaJson.Default.ChatAnswer) ?? request.WriteJsonAsync(end, OllamaJson.Default.ChatAnswer)).ConfigureAwait(false);
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
