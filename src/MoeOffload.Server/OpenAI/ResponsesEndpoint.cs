using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/responses</c>. Responses are not stored, so each request contains the whole input.</summary>
internal static class ResponsesEndpoint
{
    private static readonly JsonElement s_nothing = JsonElement.Parse("{}");
    private static readonly JsonElement s_none = JsonElement.Parse("[]");
    private static readonly JsonElement s_auto = JsonElement.Parse("\"auto\"");
    private static readonly JsonElement s_text = JsonElement.Parse("""{"format":{"type":"text"}}""");
    private static readonly JsonElement s_reasoning = JsonElement.Parse("""{"effort":null,"summary":null}""");

    public static async Task AnswerAsync(ApiRequest request)
    {
        ResponseRequest asked = ResponseRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request);
        SseWriter? events = asked.Stream ? request.MakeEvents() : null;
        ChatAnswers answers = await ChatAnswers.StartAsync(request, asked.Model, asked.Messages, _ => asked.Options).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            ResponseBody head = Head(asked, answers.ModelName);
            await (events is null ? WriteAsync(request, asked, answers, head) : StreamAsync(events, asked, answers, head)).ConfigureAwait(false);
        }
    }

    private static async Task WriteAsync(ApiRequest request, ResponseRequest asked, ChatAnswers answers, ResponseBody head)
    {
        ChatUpdate answer = (await answers.CompleteAsync().ConfigureAwait(false))[0];
        var items = new ResponseItems(answers.Model, asked.HasProbabilities, _ => Task.CompletedTask);
        await items.AddAsync(answer).ConfigureAwait(false);
        await items.EndAsync(answer.FinishReason == ChatFinishReason.Length).ConfigureAwait(false);
        await request.WriteJsonAsync(End(head, answer, items, answers.Model), OpenAIJson.Default.ResponseBody).ConfigureAwait(false);
    }

    private static async Task StreamAsync(SseWriter events, ResponseRequest asked, ChatAnswers answers, ResponseBody head)
    {
        int sequence = 0;
        var items = new ResponseItems(answers.Model, asked.HasProbabilities, EmitAsync);
        bool hasBegun = false;
        await foreach ((_, ChatUpdate update) in answers.ReadAsync().ConfigureAwait(false))
        {
            // The stream is started with the first item, so that earlier errors are sent with their own status.
            if (!hasBegun)
            {
                hasBegun = true;
                await EmitAsync(new ResponseEvent("response.created") { Response = head }).ConfigureAwait(false);
                await EmitAsync(new ResponseEvent("response.in_progress") { Response = head }).ConfigureAwait(false);
            }

            await items.AddAsync(update).ConfigureAwait(false);
            if (update.FinishReason is not null)
            {
                answers.Log(update);
                await items.EndAsync(update.FinishReason == ChatFinishReason.Length).ConfigureAwait(false);
                ResponseBody body = End(head, update, items, answers.Model);
                await EmitAsync(new ResponseEvent($"response.{body.Status}") { Response = body }).ConfigureAwait(false);
            }
        }

        Task EmitAsync(ResponseEvent told) =>
            events.SendAsync(told with { SequenceNumber = sequence++ }, OpenAIJson.Default.ResponseEvent, told.Type);
    }

    private static ResponseBody Head(ResponseRequest asked, string model)
    {
        JsonFields body = asked.Body;
        return new ResponseBody
        {
            Id = $"resp_{Guid.NewGuid():N}",
            CreatedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
            Status = "in_progress",
            Instructions = body.Text("instructions"),
            MaxOutputTokens = asked.Options.MaxTokens,
            Model = model,
            ParallelToolCalls = asked.Options.ParallelToolCalls ?? true,
            Reasoning = body.Any("reasoning") ?? s_reasoning,
            Temperature = asked.Options.Sampling!.Temperature,
            Text = body.Object("text")?.Has("format") == true ? body.Any("text")!.Value : s_text,
            ToolChoice = body.Any("tool_choice") ?? s_auto,
            Tools = body.Any("tools") ?? s_none,
            TopP = asked.Options.Sampling.TopP,
            Truncation = body.Text("truncation") ?? "disabled",
            User = body.Text("user"),
            Metadata = body.Any("metadata") ?? s_nothing,
        };
    }

    private static ResponseBody End(ResponseBody head, ChatUpdate answer, ResponseItems items, MoeModel model)
    {
        bool isCut = answer.FinishReason == ChatFinishReason.Length;
        UsageBody usage = UsageBody.Of([answer.Statistics], reasoningTokens: UsageBody.CountReasoning(model, [answer.Message!.ReasoningContent]));
        return head with
        {
            Status = isCut ? "incomplete" : "completed",
            IncompleteDetails = isCut ? new IncompleteDetails("max_output_tokens") : null,
            Output = items.Done,
            Usage = new ResponseUsage(
                usage.PromptTokens,
                new InputTokensDetails(usage.PromptTokensDetails.CachedTokens),
                usage.CompletionTokens,
                new OutputTokensDetails(usage.CompletionTokensDetails.ReasoningTokens),
                usage.TotalTokens),
        };
    }
}
