using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/completions</c>, which continues texts without a chat template.</summary>
internal static class CompletionsEndpoint
{
    public static async Task AnswerAsync(ApiRequest request)
    {
        CompletionRequest completion = CompletionRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request);
        SseWriter? events = completion.Stream ? request.MakeEvents() : null;
        TextAnswers answers = await TextAnswers
            .StartAsync(request, completion.Model, (model, index) => completion.RequestOf(index, model.Vocabulary), completion.Prompts.Count * completion.Count).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            var writer = new CompletionWriter(completion, answers);
            await (events is null ? writer.WriteAsync(request) : writer.StreamAsync(events)).ConfigureAwait(false);
        }
    }
}
