using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/chat/completions</c>.</summary>
internal static class ChatCompletionsEndpoint
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(1);

    public static async Task AnswerAsync(ApiRequest request)
    {
        ChatCompletionRequest chat = ChatCompletionRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request);
        request.CheckAttachments(chat.Model, chat.Messages);
        SseWriter? events = chat.Stream ? request.MakeEvents() : null;
        ChatAnswers answers = await ChatAnswers.StartAsync(request, chat.Model, chat.Messages, chat.OptionsOf, chat.Count).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            var head = new ChatHead($"chatcmpl-{Guid.NewGuid():N}", DateTimeOffset.UtcNow.ToUnixTimeSeconds(), answers.ModelName);
            await (events is null ? WriteAsync(request, chat, answers, head) : StreamAsync(events, chat, answers, head)).ConfigureAwait(false);
        }
    }

    private static async Task WriteAsync(ApiRequest request, ChatCompletionRequest chat, ChatAnswers answers, ChatHead head)
    {
        ChatUpdate[] updates = await answers.CompleteAsync().ConfigureAwait(false);
        ChatChoice[] choices = [.. updates.Select((update, index) => new ChatChoice(
            index,
            MessageBody.Of(update.Message!, chat.CustomTools),
            chat.HasProbabilities ? LogProbabilities.Of(answers.Model, update.Tokens) : null,
            FinishReasons.Name(update.FinishReason),
            chat.Check(update.Message!.Content)))];
        int thought = UsageBody.CountReasoning(answers.Model, updates.Select(update => update.Message!.ReasoningContent));
        var body = new ChatCompletionBody(
            head.Id, "chat.completion", head.Created, head.Model, Fingerprint.Value, choices, UsageBody.Of(answers.Statistics, reasoningTokens: thought));
        await request.WriteJsonAsync(body, OpenAIJson.Default.ChatCompletionBody).ConfigureAwait(false);
    }

    private static async Task StreamAsync(SseWriter events, ChatCompletionRequest chat, ChatAnswers answers, ChatHead head)
    {
        bool[] begun = new bool[chat.Count];
        CallDeltas[] calls = [.. begun.Select(_ => new CallDeltas(chat.CustomTools))];
        var thoughts = new string?[chat.Count];
        if (chat.ReportsProgress)
        {
            events.Interval = s_progressInterval;
            events.SignOfLife = ReportAsync;
        }

        await foreach ((int index, ChatUpdate update) in answers.ReadAsync().ConfigureAwait(false))
        {
            DeltaBody delta = DeltaBody.Of(update, isFirst: !begun[index], calls[index].Of(update));
            begun[index] = true;
            LogProbabilitiesBody? probabilities = chat.HasProbabilities ? LogProbabilities.Of(answers.Model, update.Tokens) : null;
            if (!delta.IsEmpty || probabilities is not null)
            {
                await SendAsync(new ChunkChoice(index, delta, probabilities, null)).ConfigureAwait(false);
            }

            if (update.FinishReason is not null)
            {
                answers.Log(update);
                thoughts[index] = update.Message!.ReasoningContent;
                await SendAsync(new ChunkChoice(index, new DeltaBody(), null, FinishReasons.Name(update.FinishReason), chat.Check(update.Message!.Content))).ConfigureAwait(false);
            }
        }

        if (chat.IncludesUsage)
        {
            UsageBody usage = UsageBody.Of(answers.Statistics, reasoningTokens: UsageBody.CountReasoning(answers.Model, thoughts));
            await events.SendAsync(Chunk([], usage), OpenAIJson.Default.ChatChunkBody).ConfigureAwait(false);
        }

        await events.SendDoneAsync().ConfigureAwait(false);

        Task ReportAsync()
        {
            ChatStream stream = answers.Stream;
            var progress = new PromptProgress(stream.PromptTokenCount, 0, stream.ComputedPromptTokenCount, (long)events.Age.TotalMilliseconds);
            var choice = new ChunkChoice(0, new DeltaBody("assistant"), null, null);
            return begun[0]
                ? events.CommentAsync("keep-alive")
                : events.SendAsync(Chunk([choice], null) with { PromptProgress = progress }, OpenAIJson.Default.ChatChunkBody);
        }

        // As in OpenAI's API, the chunks before the usage have a usage of null.
        Task SendAsync(ChunkChoice choice) => chat.IncludesUsage
            ? events.SendAsync(ChatChunkWithoutUsageBody.Of(Chunk([choice], null)), OpenAIJson.Default.ChatChunkWithoutUsageBody)
            : events.SendAsync(Chunk([choice], null), OpenAIJson.Default.ChatChunkBody);

        ChatChunkBody Chunk(IReadOnlyList<ChunkChoice> choices, UsageBody? usage) =>
            new(head.Id, "chat.completion.chunk", head.Created, head.Model, Fingerprint.Value, choices, usage);
    }

    private sealed record ChatHead(string Id, long Created, string Model);
}
