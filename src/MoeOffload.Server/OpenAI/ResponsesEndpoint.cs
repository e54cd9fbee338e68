using System.Text.Json;
using MoeOffload.Chat;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Handles <c>/v1/responses</c>.</summary>
internal sealed class ResponsesEndpoint(ResponseStore store)
{
    private static readonly JsonElement s_nothing = JsonElement.Parse("{}");
    private static readonly JsonElement s_none = JsonElement.Parse("[]");
    private static readonly JsonElement s_auto = JsonElement.Parse("\"auto\"");
    private static readonly JsonElement s_text = JsonElement.Parse("""{"format":{"type":"text"}}""");
    private static readonly JsonElement s_reasoning = JsonElement.Parse("""{"effort":null,"summary":null}""");

    public async Task AnswerAsync(ApiRequest request)
    {
        ResponseRequest asked = ResponseRequest.Read(await request.ReadJsonAsync().ConfigureAwait(false), request, store);
        request.CheckAttachments(asked.Model, asked.Messages);
        SseWriter? events = asked.Stream ? request.MakeEvents() : null;
        ChatAnswers answers = await ChatAnswers.StartAsync(request, asked.Model, asked.Messages, _ => asked.Options).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            // What is stored has the images themselves.
            asked = asked with { Input = request.Attachments.Resolve(asked.Input, answers.Model.Info.SupportsVision) };
            ResponseBody head = Head(asked, answers.ModelName);
            await (events is null ? WriteAsync(request, asked, answers, head) : StreamAsync(events, asked, answers, head)).ConfigureAwait(false);
        }
    }

    public Task GetAsync(ApiRequest request) => request.WriteJsonAsync(store.Get(IdOf(request)).Body, OpenAIJson.Default.ResponseBody);

    public Task DeleteAsync(ApiRequest request)
    {
        string id = IdOf(request);
        store.Delete(id);
        return request.WriteJsonAsync(new DeletedBody(id, "response", true), OpenAIJson.Default.DeletedBody);
    }

    private static string IdOf(ApiRequest request) => request.Http.Request.RouteValues["id"] as string ?? string.Empty;

    private async Task WriteAsync(ApiRequest request, ResponseRequest asked, ChatAnswers answers, ResponseBody head)
    {
        ChatUpdate answer = (await answers.CompleteAsync().ConfigureAwait(false))[0];
        var items = new ResponseItems(answers.Model, asked.HasProbabilities, asked.CustomTools, _ => Task.CompletedTask);
        await items.AddAsync(answer).ConfigureAwait(false);
        await items.EndAsync(answer.FinishReason == ChatFinishReason.Length).ConfigureAwait(false);
        await request.WriteJsonAsync(Store(asked, End(asked, head, answer, items, answers.Model)), OpenAIJson.Default.ResponseBody).ConfigureAwait(false);
    }

    private async Task StreamAsync(SseWriter events, ResponseRequest asked, ChatAnswers answers, ResponseBody head)
    {
        int sequence = 0;
        var items = new ResponseItems(answers.Model, asked.HasProbabilities, asked.CustomTools, EmitAsync);
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
                ResponseBody body = Store(asked, End(asked, head, update, items, answers.Model));
                await EmitAsync(new ResponseEvent($"response.{body.Status}") { Response = body }).ConfigureAwait(false);
            }
        }

        Task EmitAsync(ResponseEvent told) =>
            events.SendAsync(told with { SequenceNumber = sequence++ }, OpenAIJson.Default.ResponseEvent, told.Type);
    }

    private ResponseBody Store(ResponseRequest asked, ResponseBody body)
    {
        if (asked.IsStored)
        {
            store.Add(asked.Input, body);
        }

        return body;
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
            PreviousResponseId = body.Text("previous_response_id"),
            Reasoning = Keep(body.Any("reasoning")) ?? s_reasoning,
            Store = asked.IsStored,
            Temperature = asked.Options.Sampling!.Temperature,
            Text = body.Object("text")?.Has("format") == true ? Keep(body.Any("text"))!.Value : s_text,
            ToolChoice = Keep(body.Any("tool_choice")) ?? s_auto,
            Tools = Keep(body.Any("tools")) ?? s_none,
            TopP = asked.Options.Sampling.TopP,
            Truncation = body.Text("truncation") ?? "disabled",
            User = body.Text("user"),
            Metadata = Keep(body.Any("metadata")) ?? s_nothing,
        };
    }

    // A stored response outlives the body of its request.
    private static JsonElement? Keep(JsonElement? element) => element?.Clone();

    private static ResponseBody End(ResponseRequest asked, ResponseBody head, ChatUpdate answer, ResponseItems items, MoeModel model)
    {
        bool isCut = answer.FinishReason == ChatFinishReason.Length;
        UsageBody usage = UsageBody.Of([answer.Statistics], reasoningTokens: UsageBody.CountReasoning(model, [answer.Message!.ReasoningContent]));
        return head with
        {
            Status = isCut ? "incomplete" : "completed",
            IncompleteDetails = isCut ? new IncompleteDetails("max_output_tokens") : null,
            Output = items.Done,
            SchemaCheck = SchemaCheck.Of(asked.Options.ResponseSchema, answer.Message.Content),
            Usage = new ResponseUsage(
                usage.PromptTokens,
                new InputTokensDetails(usage.PromptTokensDetails.CachedTokens, usage.PromptTokensDetails.CacheWriteTokens),
                usage.CompletionTokens,
                new OutputTokensDetails(usage.CompletionTokensDetails.ReasoningTokens),
                usage.TotalTokens),
        };
    }
}
