using MoeOffload.Chat;
using MoeOffload.Server.Fields;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Handles Ollama's <c>POST /api/generate</c>.</summary>
internal static class GenerateEndpoint
{
    public static async Task HandleAsync(ApiRequest request, JsonFields body)
    {
        OllamaSettings settings = OllamaSettings.Read(body, request);
        string prompt = body.Text("prompt") ?? string.Empty;
        bool isRaw = body.Flag("raw") ?? false;
        string? system = body.Text("system");
        string? suffix = body.Text("suffix");
        bool continues = isRaw || suffix is { Length: > 0 };
        if (continues && body.Items("images") is { Count: > 0 })
        {
            throw ApiException.Invalid("'images' cannot be combined with 'raw' or 'suffix'. Leave one of them out, or use /api/chat.", "images", "unsupported_parameter");
        }

        string question = OllamaChat.WithImages(body, prompt, request.Attachments, isOfUser: true);
        FieldTables.OllamaGenerate.Apply(body);
        request.EndReading();
        if (question.Length == 0)
        {
            string reason = await OllamaLoading.LoadOnlyAsync(request, settings).ConfigureAwait(false);
            await request.WriteJsonAsync(
                new GenerateAnswer(request.Model ?? settings.Model!, DateTime.UtcNow, string.Empty, true, DoneReason: reason), OllamaJson.Default.GenerateAnswer)
                .ConfigureAwait(false);
            return;
        }

        request.CheckAttachments(settings.Model, [ChatMessage.User(question)]);
        JsonLinesWriter? lines = settings.IsStreamed ? request.MakeLines() : null;
        if (lines is not null)
        {
            lines.SignOfLife = () => lines.SendAsync(
                new GenerateAnswer(request.Model!, DateTime.UtcNow, string.Empty, false), OllamaJson.Default.GenerateAnswer);
        }

        await (continues ? ContinueAsync(request, settings, lines, prompt, suffix) : ReplyAsync(request, settings, lines, question, system)).ConfigureAwait(false);
        await OllamaLoading.UnloadAfterAsync(request, settings).ConfigureAwait(false);
    }

    // Continues the prompt without a template, or fills in what is between it and the suffix.
    private static async Task ContinueAsync(ApiRequest request, OllamaSettings settings, JsonLinesWriter? lines, string prompt, string? suffix)
    {
        var generation = new GenerationRequest
        {
            Prompt = prompt,
            Sampling = settings.Schema is null ? settings.Sampling : settings.Sampling with { JsonSchema = settings.Schema },
            MaxTokens = settings.MaxTokens,
            StopStrings = settings.Stops,
        };
        TextAnswers answers = await TextAnswers.StartAsync(
            request,
            settings.Model,
            (model, _) => string.IsNullOrEmpty(suffix) ? generation : generation with { PromptTokens = FillPrompt.Make(model.Vocabulary, prompt, suffix, "suffix") }).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            var text = new GeneratedAnswer(request, settings, lines, answers.ModelName, answers.Model.Vocabulary, answers.LoadTime);
            await foreach ((_, GeneratedToken token) in answers.ReadAsync().ConfigureAwait(false))
            {
                await text.AddAsync(token.Text, string.Empty, [token]).ConfigureAwait(false);
            }

            answers.Log(text.Text);
            TokenStream stream = answers.Stream;
            await text.EndAsync(stream.Statistics!, stream.StopReason is not (StopReason.EndOfSequence or StopReason.StopString)).ConfigureAwait(false);
        }
    }

    // Answers the prompt as a chat message.
    private static async Task ReplyAsync(ApiRequest request, OllamaSettings settings, JsonLinesWriter? lines, string prompt, string? system)
    {
        IReadOnlyList<ChatMessage> messages = string.IsNullOrEmpty(system)
            ? [ChatMessage.User(prompt)]
            : [ChatMessage.System(system), ChatMessage.User(prompt)];
        ChatAnswers answers = await ChatAnswers.StartAsync(request, settings.Model, messages, _ => settings.ToChat([])).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            var text = new GeneratedAnswer(request, settings, lines, answers.ModelName, answers.Model.Vocabulary, answers.LoadTime);
            ChatUpdate? last = null;
            await foreach ((_, ChatUpdate update) in answers.ReadAsync().ConfigureAwait(false))
            {
                last = update;
                await text.AddAsync(update.Content, update.ReasoningContent, update.Tokens).ConfigureAwait(false);
            }

            answers.Log(last!);
            await text.EndAsync(last!.Statistics!, last.FinishReason == ChatFinishReason.Length).ConfigureAwait(false);
        }
    }
}
