using System.Text;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.OpenAI;

/// <summary>Writes the answers to a request of <c>/v1/completions</c>.</summary>
internal sealed class CompletionWriter(CompletionRequest completion, TextAnswers answers)
{
    private const string Kind = "text_completion";

    private readonly string _id = $"cmpl-{Guid.NewGuid():N}";
    private readonly long _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly int[] _offsets = new int[completion.Prompts.Count * completion.Count];

    public async Task WriteAsync(ApiRequest request)
    {
        var texts = new StringBuilder[_offsets.Length];
        var tokens = new List<GeneratedToken>[_offsets.Length];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = new StringBuilder(Prefix(i));
            tokens[i] = [];
        }

        await foreach ((int index, GeneratedToken token) in answers.ReadAsync().ConfigureAwait(false))
        {
            texts[index].Append(token.Text);
            tokens[index].Add(token);
        }

        CompletionChoice[] choices =
        [
            .. texts.Select((text, index) => new CompletionChoice(
                text.ToString(), index, Probabilities(index, tokens[index]), FinishReasons.Name(answers.Streams[index].StopReason), Check(string.Concat(tokens[index].Select(token => token.Text))))),
        ];
        answers.Log(choices[0].Text);
        await request.WriteJsonAsync(Body(choices, Usage()), OpenAIJson.Default.CompletionBody).ConfigureAwait(false);
    }

    public async Task StreamAsync(SseWriter events)
    {
        bool[] begun = new bool[_offsets.Length];
        StringBuilder[]? texts = completion.Sampling.JsonSchema is { Unenforced.Count: > 0 } ? [.. begun.Select(_ => new StringBuilder())] : null;
        await foreach ((int index, GeneratedToken token) in answers.ReadAsync().ConfigureAwait(false))
        {
            string text = begun[index] ? token.Text : Prefix(index) + token.Text;
            begun[index] = true;
            texts?[index].Append(token.Text);
            if (text.Length > 0)
            {
                await SendAsync(new CompletionChoice(text, index, Probabilities(index, [token]), null)).ConfigureAwait(false);
            }
        }

        for (int i = 0; i < _offsets.Length; i++)
        {
            await SendAsync(new CompletionChoice(string.Empty, i, null, FinishReasons.Name(answers.Streams[i].StopReason), Check(texts?[i].ToString() ?? string.Empty))).ConfigureAwait(false);
        }

        if (completion.IncludesUsage)
        {
            await events.SendAsync(Body([], Usage()), OpenAIJson.Default.CompletionBody).ConfigureAwait(false);
        }

        await events.SendDoneAsync().ConfigureAwait(false);

        // As in OpenAI's API, the chunks before the usage have a usage of null.
        Task SendAsync(CompletionChoice choice) => completion.IncludesUsage
            ? events.SendAsync(
                new CompletionChunkWithoutUsageBody(_id, Kind, _created, answers.ModelName, Fingerprint.Value, [choice], null),
                OpenAIJson.Default.CompletionChunkWithoutUsageBody)
            : events.SendAsync(Body([choice], null), OpenAIJson.Default.CompletionBody);
    }

    private SchemaCheck? Check(string text) => SchemaCheck.Of(completion.Sampling.JsonSchema, text);

    private CompletionBody Body(IReadOnlyList<CompletionChoice> choices, UsageBody? usage) =>
        new(_id, Kind, _created, answers.ModelName, Fingerprint.Value, choices, usage);

    private UsageBody Usage() => UsageBody.Of(answers.Statistics, completion.Prompts.Count);

    private string Prefix(int index)
    {
        if (!completion.Echo)
        {
            return string.Empty;
        }

        PromptInput prompt = completion.Prompts[index / completion.Count];
        return prompt.Text ?? answers.Model.Vocabulary.Detokenize(prompt.Tokens);
    }

    private CompletionProbabilities? Probabilities(int index, IReadOnlyList<GeneratedToken> tokens)
    {
        GeneratedToken[] texts = completion.Sampling.TopLogProbabilities is null ? [] : [.. tokens.Where(LogProbabilities.IsText)];
        if (texts.Length == 0)
        {
            return null;
        }

        var offsets = new List<int>(texts.Length);
        foreach (GeneratedToken token in texts)
        {
            offsets.Add(_offsets[index]);
            _offsets[index] += token.Text.Length;
        }

        return new CompletionProbabilities(
            [.. texts.Select(token => LogProbabilities.Text(answers.Model, token.Id))],
            [.. texts.Select(token => LogProbabilities.Finite(token.LogProbability))],
            completion.Sampling.TopLogProbabilities == 0 ? null : [.. texts.Select(Top)],
            offsets);
    }

    // Two tokens can have the same text if neither is a complete code point.
    private Dictionary<string, float> Top(GeneratedToken token)
    {
        var top = new Dictionary<string, float>(StringComparer.Ordinal);
        foreach (TokenProbability candidate in token.TopLogProbabilities)
        {
            top.TryAdd(LogProbabilities.Text(answers.Model, candidate.Token), LogProbabilities.Finite(candidate.LogProbability));
        }

        return top;
    }
}
