using System.Text.Json;
using System.Text.Json.Nodes;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;
using MoeOffload.Server.Routing;

namespace MoeOffload.Server.Anthropic;

/// <summary>Maps the endpoints of Anthropic's API: <c>/v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
internal static class AnthropicEndpoints
{
    public static void Map(ApiRoutes routes)
    {
        routes.Post("/v1/messages", AnthropicErrors.Format, AnswerAsync);
        routes.Post("/v1/messages/count_tokens", AnthropicErrors.Format, CountAsync);
    }

    private static async Task AnswerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        var asked = MessagesRequest.Read(body, request, counts: false);
        request.CheckAttachments(asked.Model, asked.Messages);
        MessageEvents? events = asked.IsStreamed ? new MessageEvents(request.MakeEvents(), asked) : null;
        ChatAnswers answers = await ChatAnswers.StartAsync(request, asked.Model, asked.Messages, _ => asked.Options).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            string id = $"msg_{Guid.NewGuid():N}";
            if (events is not null)
            {
                await events.SendAsync(id, answers).ConfigureAwait(false);
                return;
            }

            ChatUpdate last = (await answers.CompleteAsync().ConfigureAwait(false))[0];
            MessageAnswer answer = Answer(id, answers.ModelName, answers.Stream, last, asked);
            await request.WriteJsonAsync(answer, AnthropicJson.Default.MessageAnswer).ConfigureAwait(false);
        }
    }

    private static async Task CountAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        var asked = MessagesRequest.Read(body, request, counts: true);
        using ModelLease lease = await request.AcquireAsync(asked.Model).ConfigureAwait(false);
        RenderedChat chat = ClientInput.Check(() => lease.Model.ChatTemplate.Render(ChatPreparation.Apply(asked.Messages, asked.Options, request, lease.Model), asked.Options));
        int count = 0;
        await ClientInput.CheckAsync(async () => count = await lease.Model.CountTokensAsync(chat, request.Cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        await request.WriteJsonAsync(new TokenCount(count), AnthropicJson.Default.TokenCount).ConfigureAwait(false);
    }

    private static MessageAnswer Answer(string id, string model, ChatStream chat, ChatUpdate last, MessagesRequest asked)
    {
        ChatMessage message = last.Message!;
        var content = new List<ContentBlock>();
        if (asked.ShowsThinking && message.ReasoningContent is { Length: > 0 } thinking)
        {
            content.Add(ContentBlock.OfThinking(thinking));
        }

        if (message.Content.Length > 0)
        {
            content.Add(ContentBlock.OfText(message.Content));
        }

        // A call that was cut off has no complete arguments, so it is left out.
        content.AddRange(message.ToolCalls
            .Select(call => (Call: call, Input: Parse(call.Arguments)))
            .Where(item => item.Input is not null)
            .Select(item => ContentBlock.OfCall(item.Call.Id, item.Call.Name, item.Input!)));
        (string reason, string? sequence) = MessageEvents.WhyStopped(chat, last);
        return new MessageAnswer(id, "message", "assistant", model, content, reason, sequence, MessageEvents.UsageOf(last.Statistics!), SchemaCheck.Of(asked.Options.ResponseSchema, message.Content));
    }

    private static JsonObject? Parse(string arguments)
    {
        try
        {
            return JsonNode.Parse(arguments) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
