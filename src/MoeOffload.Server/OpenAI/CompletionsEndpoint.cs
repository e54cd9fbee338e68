namespace MoeOffload.Server.OpenAI;

/// <summary><c>/v1/completions</c>: texts continued as they are, without a chat template.</summary>
internal static class CompletionsEndpoint
{
    public static async Task AnswerAsync(ApiRequest request)
    {
        CompletionRequest completion = CompletionRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request);
        SseWriter? events = completion.Stream ? request.MakeEvents() : null;
        using ModelLease lease = await request.AcquireAsync(completion.Model, events).ConfigureAwait(false);
        TextAnswers answers = await TextAnswers
            .StartAsync(request, lease, completion.Prompts.Count * completion.Count, completion.RequestOf).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            var writer = new CompletionWriter(completion, lease, answers);
            await (events is null ? writer.WriteAsync(request) : writer.StreamAsync(events)).ConfigureAwait(false);
        }
    }
}
