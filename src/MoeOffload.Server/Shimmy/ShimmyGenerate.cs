using MoeOffload.Server.Http;

namespace MoeOffload.Server.Shimmy;

/// <summary>Handles shimmy's <c>POST /api/generate</c>.</summary>
internal static class ShimmyGenerate
{
    public static async Task HandleAsync(ApiRequest request, JsonFields body)
    {
        ShimmyPrompt prompt = ShimmyPrompt.Read(body, request);
        request.EndReading();
        SseWriter? events = prompt.IsStreamed ? request.MakeEvents() : null;
        string text = await prompt
            .AnswerAsync(request, piece => events?.SendTextAsync(piece) ?? Task.CompletedTask, request.Cancellation).ConfigureAwait(false);
        await (events?.SendDoneAsync() ?? request.WriteJsonAsync(new GeneratedText(text), ShimmyJson.Default.GeneratedText)).ConfigureAwait(false);
    }
}
