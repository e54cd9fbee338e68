using System.Text;
using MoeOffload.Server.Generation;
using MoeOffload.Server.Http;

namespace MoeOffload.Server.Ollama;

/// <summary>Writes the answer of <c>/api/generate</c>: line by line while it is generated, or as one value at the end.</summary>
/// <param name="request">The request.</param>
/// <param name="settings">The settings of the request.</param>
/// <param name="lines">The writer of the lines, or <see langword="null"/> to write one value at the end.</param>
/// <param name="model">The name of the model.</param>
/// <param name="vocabulary">The model's vocabulary.</param>
/// <param name="load">The time that the request waited for the model.</param>
internal sealed class GeneratedAnswer(
    ApiRequest request, OllamaSettings settings, JsonLinesWriter? lines, string model, Vocabulary vocabulary, TimeSpan load)
{
    private readonly List<GeneratedToken> _tokens = [];
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _thinking = new();

    /// <summary>Gets the text so far. It is kept only if the answer is one value, or if it is logged or checked.</summary>
    public string Text => _text.ToString();

    /// <summary>Adds a part of the answer.</summary>
    public Task AddAsync(string text, string thinking, IReadOnlyList<GeneratedToken> tokens)
    {
        if (lines is null || request.Options.LogPrompts || settings.Schema is { Unenforced.Count: > 0 })
        {
            _text.Append(text);
            _thinking.Append(thinking);
            _tokens.AddRange(tokens);
        }

        if (lines is null || (text.Length == 0 && thinking.Length == 0))
        {
            return Task.CompletedTask;
        }

        var part = new GenerateAnswer(
            model, DateTime.UtcNow, text, false, thinking.Length > 0 ? thinking : null, Logprobs: OllamaFigures.LogProbabilities(tokens, vocabulary, settings.Sampling));
        return lines.SendAsync(part, OllamaJson.Default.GenerateAnswer);
    }

    /// <summary>Completes the answer with its statistics.</summary>
    public Task EndAsync(GenerationStatistics statistics, bool isCut)
    {
        OllamaFigures figures = OllamaFigures.Of(request, load, statistics, isCut);
        var end = new GenerateAnswer(
            model,
            DateTime.UtcNow,
            lines is null ? Text : string.Empty,
            true,
            lines is null && _thinking.Length > 0 ? _thinking.ToString() : null,
            figures.DoneReason,
            figures.Total,
            figures.Load,
            figures.PromptTokens,
            figures.Prompt,
            figures.AnswerTokens,
            figures.Decode,
            lines is null ? OllamaFigures.LogProbabilities(_tokens, vocabulary, settings.Sampling) : null,
            SchemaCheck.Of(settings.Schema, Text));
        return lines?.SendAsync(end, OllamaJson.Default.GenerateAnswer) ?? request.WriteJsonAsync(end, OllamaJson.Default.GenerateAnswer);
    }
}
