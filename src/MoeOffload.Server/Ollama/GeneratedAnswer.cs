using System.Text;

namespace MoeOffload.Server.Ollama;

/// <summary>Writes the answer of <c>/api/generate</c>: line by line as it grows, or as one value at its end.</summary>
/// <param name="request">The request.</param>
/// <param name="settings">What it asks for.</param>
/// <param name="lines">Where lines go; null for one value at the end.</param>
/// <param name="model">The model's name.</param>
/// <param name="vocabulary">The model's vocabulary.</param>
/// <param name="load">How long the request had to wait for the model.</param>
internal sealed class GeneratedAnswer(
    ApiRequest request, OllamaSettings settings, JsonLinesWriter? lines, string model, Vocabulary vocabulary, TimeSpan load)
{
    private readonly List<GeneratedToken> _tokens = [];
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _thinking = new();

    /// <summary>Gets the text so far, if it is kept: for one value at the end, or for the log.</summary>
    public string Text => _text.ToString();

    /// <summary>Adds to the answer.</summary>
    public Task AddAsync(string text, string thinking, IReadOnlyList<GeneratedToken> tokens)
    {
        if (lines is null || request.Options.LogPrompts)
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

    /// <summary>Ends the answer with its figures.</summary>
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
            lines is null ? OllamaFigures.LogProbabilities(_tokens, vocabulary, settings.Sampling) : null);
        return lines?.SendAsync(end, OllamaJson.Default.GenerateAnswer) ?? request.WriteJsonAsync(end, OllamaJson.Default.GenerateAnswer);
    }
}
