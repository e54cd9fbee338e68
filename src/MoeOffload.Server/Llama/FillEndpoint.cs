using System.Text;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Llama;

/// <summary>Handles <c>/infill</c> of llama.cpp's server, which fills in the middle of a file.</summary>
internal static class FillEndpoint
{
    public static async Task AnswerAsync(ApiRequest request)
    {
        JsonFields body = await request.ReadJsonAsync().ConfigureAwait(false);
        string prefix = body.Text("input_prefix") ?? string.Empty;
        string suffix = body.Text("input_suffix") ?? string.Empty;
        string prompt = body.Text("prompt") ?? string.Empty;
        (string, string)[] files = [.. body.Objects("input_extra").Select(file => (file.Text("filename") ?? "tmp", file.RequiredText("text")))];
        SamplingOptions sampling = GenerationFields.ReadSampling(body, request.Options.Sampling);
        IReadOnlyList<string> stops = GenerationFields.ReadStops(body);
        int? most = GenerationFields.ReadMaxTokens(body, "n_predict", "max_tokens");
        bool isStreamed = body.Flag("stream") ?? false;
        string? model = body.Text("model");
        body.Ignore("cache_prompt", "id_slot", "t_max_prompt_ms", "t_max_predict_ms", "n_indent", "timings_per_token", "samplers", "return_tokens");
        request.EndReading();

        SseWriter? events = isStreamed ? request.MakeEvents() : null;
        TextAnswers answers = await TextAnswers.StartAsync(
            request,
            request.OnlyModel(model),
            (loaded, _) => new GenerationRequest
            {
                PromptTokens = FillPrompt.Make(loaded.Vocabulary, prefix + prompt, suffix, "input_prefix", files),
                Sampling = sampling,
                MaxTokens = request.LimitTokens(most),
                StopStrings = stops,
            }).ConfigureAwait(false);
        await using (answers.ConfigureAwait(false))
        {
            await WriteAsync(request, answers, events).ConfigureAwait(false);
        }
    }

    private static async Task WriteAsync(ApiRequest request, TextAnswers answers, SseWriter? events)
    {
        var text = new StringBuilder();
        await foreach ((_, GeneratedToken token) in answers.ReadAsync().ConfigureAwait(false))
        {
            text.Append(token.Text);
            if (events is not null && token.Text.Length > 0)
            {
                await events.SendAsync(new FillBody(token.Text, false), LlamaJson.Default.FillBody).ConfigureAwait(false);
            }
        }

        answers.Log(text.ToString());
        TokenStream stream = answers.Stream;
        GenerationStatistics statistics = stream.Statistics!;
        var end = new FillBody(
            events is null ? text.ToString() : string.Empty,
            true,
            0,
            answers.ModelName,
            statistics.GeneratedTokens,
            statistics.PromptTokens,
            statistics.CachedPromptTokens,
            stream.StopReason switch { StopReason.EndOfSequence => "eos", StopReason.StopString => "word", _ => "limit" },
            stream.StopString ?? string.Empty,
            false,
            new FillTimings(
                statistics.PromptTokens - statistics.CachedPromptTokens,
                (statistics.TimeToFirstToken - statistics.QueueTime).TotalMilliseconds,
                statistics.GeneratedTokens,
                statistics.DecodeTime.TotalMilliseconds));
        await (events?.SendAsync(end, LlamaJson.Default.FillBody) ?? request.WriteJsonAsync(end, LlamaJson.Default.FillBody)).ConfigureAwait(false);
    }
}
