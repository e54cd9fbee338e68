using System.Text;

namespace MoeOffload.Server.Shimmy;

/// <summary>shimmy's <c>POST /api/generate</c>.</summary>
internal static class ShimmyGenerate
{
    public static async Task HandleAsync(ApiRequest request, JsonFields body)
    {
        ShimmyPrompt prompt = ShimmyPrompt.Read(body, request);
        SseWriter? events = prompt.IsStreamed ? request.MakeEvents() : null;
        using ModelLease lease = await request.AcquireAsync(prompt.Model, events).ConfigureAwait(false);
        var text = new StringBuilder();
        await prompt.AnswerAsync(
            request,
            lease,
            piece =>
            {
                text.Append(piece);
                return events?.SendTextAsync(piece) ?? Task.CompletedTask;
            },
            request.Cancellation).ConfigureAwait(false);
        request.LogText("Answer", text.ToString());
        await (events?.SendDoneAsync() ?? request.WriteJsonAsync(new GeneratedText(text.ToString()), ShimmyJson.Default.GeneratedText)).ConfigureAwait(false);
    }
}
