using System.Text;
using MoeOffload.Chat;

namespace MoeOffload.Server.Ollama;

/// <summary>Ollama's <c>POST /api/generate</c>.</summary>
internal static class GenerateEndpoint
{
    public static async Task HandleAsync(ApiRequest request, JsonFields body)
    {
        OllamaSettings settings = OllamaSettings.Read(body, request);
        string prompt = body.Text("prompt") ?? string.Empty;
        bool isRaw = body.Flag("raw") ?? false;
        string? system = body.Text("system");
        RefuseOthers(body);
        if (prompt.Length == 0)
        {
            string reason = await OllamaLoading.LoadOnlyAsync(request, settings).ConfigureAwait(false);
            await request.WriteJsonAsync(
                new GenerateAnswer(request.Model ?? settings.Model!, DateTime.UtcNow, string.Empty, true, DoneReason: reason), OllamaJson.Default.GenerateAnswer)
                .ConfigureAwait(false);
            return;
        }

        JsonLinesWriter? lines = settings.IsStreamed ? request.MakeLines() : null;
        using (ModelLease lease = await request.AcquireAsync(settings.Model, lines).ConfigureAwait(false))
        {
            var answer = new Answer(request, settings, lease, request.Elapsed, lines);
            request.LogText("Prompt", prompt);
            await (isRaw ? answer.ContinueAsync(prompt) : answer.ReplyAsync(prompt, system)).ConfigureAwait(false);
        }

        await OllamaLoading.UnloadAfterAsync(request, settings).ConfigureAwait(false);
    }

    private static void RefuseOthers(JsonFields body)
    {
        OllamaChat.RefuseImages(body);
        if (body.Text("suffix") is { Length: > 0 })
        {
            throw ApiException.Invalid("'suffix' is not supported: put the text around the gap into a raw prompt, with the model's own marks.", "suffix", "unsupported_parameter");
        }

        if (body.Text("template") is { Length: > 0 })
        {
            throw ApiException.Invalid("'template' is not supported: the model's own template is used; with 'raw' none is.", "template", "unsupported_parameter");
        }

        if (body.Items("context") is { Count: > 0 })
        {
            throw ApiException.Invalid("'context' is not supported, as in Ollama it is deprecated: send the messages to /api/chat.", "context", "unsupported_parameter");
        }
    }

    private sealed class Answer(ApiRequest request, OllamaSettings settings, ModelLease lease, TimeSpan load, JsonLinesWriter? lines)
    {
        private readonly List<GeneratedToken> _tokens = [];
        private readonly StringBuilder _text = new();
        private readonly StringBuilder _thinking = new();

        /// <summary>Continues a prompt as it is.</summary>
        public async Task ContinueAsync(string prompt)
        {
            using TokenStream tokens = lease.Session.GenerateAsync(
                new GenerationRequest
                {
                    Prompt = prompt,
                    Sampling = settings.Schema is null ? settings.Sampling : settings.Sampling with { JsonSchema = settings.Schema },
                    MaxTokens = settings.MaxTokens,
                    StopStrings = settings.Stops,
                    Deadline = request.TimeLeft,
                },
                request.Cancellation);
            try
            {
                request.CheckPrompt(tokens.PromptTokenCount);
                await foreach (GeneratedToken token in (lines?.GatherAsync(tokens) ?? tokens).ConfigureAwait(false))
                {
                    await AddAsync(token.Text, string.Empty, [token]).ConfigureAwait(false);
                }

                await EndAsync(tokens.Statistics!, tokens.StopReason is not (StopReason.EndOfSequence or StopReason.StopString)).ConfigureAwait(false);
            }
            finally
            {
                request.Count(tokens.Statistics);
            }
        }

        /// <summary>Answers a prompt as a message.</summary>
        public async Task ReplyAsync(string prompt, string? system)
        {
            IReadOnlyList<ChatMessage> messages = string.IsNullOrEmpty(system)
                ? [ChatMessage.User(prompt)]
                : [ChatMessage.System(system), ChatMessage.User(prompt)];
            using ChatStream chat = lease.Session.ChatAsync(messages, settings.ToChat([], request.TimeLeft), request.Cancellation);
            try
            {
                request.CheckPrompt(chat.PromptTokenCount);
                ChatUpdate? last = null;
                await foreach (ChatUpdate update in (lines?.GatherAsync(chat) ?? chat).ConfigureAwait(false))
                {
                    last = update;
                    await AddAsync(update.Content, update.ReasoningContent, update.Tokens).ConfigureAwait(false);
                }

                await EndAsync(last!.Statistics!, last.FinishReason == ChatFinishReason.Length).ConfigureAwait(false);
            }
            finally
            {
                request.Count(chat.Statistics);
            }
        }

        private Task AddAsync(string text, string thinking, IReadOnlyList<GeneratedToken> tokens)
        {
            if (lines is null || request.Options.LogPrompts)
            {
                _text.Append(text);
                _thinking.Append(thinking);
                _tokens.AddRange(tokens);
            }

            return lines is null || (text.Length == 0 && thinking.Length == 0)
                ? Task.CompletedTask
                : lines.SendAsync(
                    new GenerateAnswer(
                        lease.Name,
                        DateTime.UtcNow,
                        text,
                        false,
                        thinking.Length > 0 ? thinking : null,
                        Logprobs: OllamaFigures.LogProbabilities(tokens, lease.Model.Vocabulary, settings.Sampling)),
                    OllamaJson.Default.GenerateAnswer);
        }

        private Task EndAsync(GenerationStatistics statistics, bool isCut)
        {
            request.LogText("Answer", _text.ToString());
            OllamaFigures figures = OllamaFigures.Of(request, load, statistics, isCut);
            var end = new GenerateAnswer(
                lease.Name,
                DateTime.UtcNow,
                lines is null ? _text.ToString() : string.Empty,
                true,
                lines is null && _thinking.Length > 0 ? _thinking.ToString() : null,
                figures.DoneReason,
                figures.Total,
                figures.Load,
                figures.PromptTokens,
                figures.Prompt,
                figures.AnswerTokens,
                figures.Decode,
                lines is null ? OllamaFigures.LogProbabilities(_tokens, lease.Model.Vocabulary, settings.Sampling) : null);
            return lines?.SendAsync(end, OllamaJson.Default.GenerateAnswer) ?? request.WriteJsonAsync(end, OllamaJson.Default.GenerateAnswer);
        }
    }
}
