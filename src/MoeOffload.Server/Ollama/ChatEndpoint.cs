using MoeOffload.Chat;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Handles Ollama's <c>POST /api/chat</c>.</summary>
internal static class ChatEndpoint
{
    public static async Task HandleAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        OllamaSettings settings = OllamaSettings.Read(body, request);
        IReadOnlyList<ChatMessage> messages = OllamaChat.ReadMessages(body, request.Attachments);
        IReadOnlyList<ToolDefinition> tools = OllamaChat.ReadTools(body);
        ChatOverflow? overflow = body.Flag("truncate") is { } cuts ? cuts ? ChatOverflow.OmitOldestTurns : ChatOverflow.Error : null;
        FieldTables.OllamaChat.Apply(body);
        request.EndReading();
        if (messages.Count == 0)
        {
            string reason = await OllamaLoading.LoadOnlyAsync(request, settings).ConfigureAwait(false);
            await request.WriteJsonAsync(
                new ChatAnswer(request.Model ?? settings.Model!, DateTime.UtcNow, new AnswerMessage("assistant", string.Empty), true, reason), OllamaJson.Default.ChatAnswer)
                .ConfigureAwait(false);
            return;
        }

        request.CheckAttachments(settings.Model, messages);
        JsonLinesWriter? lines = settings.IsStreamed ? request.MakeLines() : null;
        ChatAnswers answers = await ChatAnswers
            .StartAsync(request, settings.Model, messages, _ => Prefill.Apply(settings.ToChat(tools), messages), overflow: overflow).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            await (lines is null ? WriteAsync(request, settings, answers) : StreamAsync(request, settings, answers, lines)).ConfigureAwait(false);
        }

        await OllamaLoading.UnloadAfterAsync(request, settings).ConfigureAwait(false);
    }

    private static async Task WriteAsync(ApiRequest request, OllamaSettings settings, ChatAnswers answers)
    {
        ChatUpdate last = (await answers.CompleteAsync().ConfigureAwait(false))[0];
        ChatMessage answer = last.Message!;
        var message = new AnswerMessage("assistant", answer.Content, NullIfEmpty(answer.ReasoningContent), OllamaChat.Calls(answer));
        ChatAnswer end = End(request, settings, answers, last, message) with { Logprobs = Probabilities(answers, last, settings) };
        await request.WriteJsonAsync(end, OllamaJson.Default.ChatAnswer).ConfigureAwait(false);
    }

    private static async Task StreamAsync(ApiRequest request, OllamaSettings settings, ChatAnswers answers, JsonLinesWriter lines)
    {
        lines.SignOfLife = () => lines.SendAsync(
            new ChatAnswer(answers.ModelName, DateTime.UtcNow, new AnswerMessage("assistant", string.Empty), false), OllamaJson.Default.ChatAnswer);
        ChatUpdate? last = null;
        await foreach ((_, ChatUpdate update) in answers.ReadAsync().ConfigureAwait(false))
        {
            last = update;
            IReadOnlyList<AnswerCall>? calls = update.Message is { } whole ? OllamaChat.Calls(whole) : null;
            if (update.Content.Length > 0 || update.ReasoningContent.Length > 0 || calls is not null)
            {
                var message = new AnswerMessage("assistant", update.Content, NullIfEmpty(update.ReasoningContent), calls);
                var part = new ChatAnswer(answers.ModelName, DateTime.UtcNow, message, false, Logprobs: Probabilities(answers, update, settings));
                await lines.SendAsync(part, OllamaJson.Default.ChatAnswer).ConfigureAwait(false);
            }
        }

        answers.Log(last!);
        await lines.SendAsync(End(request, settings, answers, last!, new AnswerMessage("assistant", string.Empty)), OllamaJson.Default.ChatAnswer).ConfigureAwait(false);
    }

    private static ChatAnswer End(ApiRequest request, OllamaSettings settings, ChatAnswers answers, ChatUpdate last, AnswerMessage message)
    {
        OllamaFigures figures = OllamaFigures.Of(request, answers.LoadTime, last.Statistics!, last.FinishReason == ChatFinishReason.Length);
        return new ChatAnswer(
            answers.ModelName,
            DateTime.UtcNow,
            message,
            true,
            figures.DoneReason,
            figures.Total,
            figures.Load,
            figures.PromptTokens,
            figures.Prompt,
            figures.AnswerTokens,
            figures.Decode,
            SchemaCheck: SchemaCheck.Of(settings.Schema, last.Message!.Content),
            OmittedMessages: answers.Stream.OmittedMessageCount is > 0 and var omitted ? omitted : null);
    }

    private static IReadOnlyList<TokenLogProbability>? Probabilities(ChatAnswers answers, ChatUpdate update, OllamaSettings settings) =>
        OllamaFigures.LogProbabilities(update.Tokens, answers.Model.Vocabulary, settings.Sampling);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
