using System.CommandLine;
using MoeOffload.Chat;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Options;

/// <summary>What ends an answer, and what a chat begins with.</summary>
internal sealed class AnswerArguments
{
    private readonly Option<int?> _maxTokens;
    private readonly Option<string[]> _stop = Opt.Texts("TEXT", "A text that ends the answer, and is no part of it", "--stop", "-r", "--reverse-prompt");
    private readonly Option<bool> _ignoreEnd = Opt.Flag("Go on where the model would end", "--ignore-eos");
    private readonly Option<string?> _system = Opt.Text("TEXT", "The system message of a chat", "--system", "-sys", "--system-prompt");
    private readonly Option<bool> _noThinking = Opt.Flag("A model that can choose answers without thinking first", "--no-thinking");
    private readonly int _usualTokens;

    /// <summary>Makes the options.</summary>
    /// <param name="usualTokens">The most tokens where nothing is said; -1 for as many as there is room for.</param>
    public AnswerArguments(int usualTokens)
    {
        _usualTokens = usualTokens;
        _maxTokens = Opt.Integer(
            "N", $"Most tokens of the answer; -1 is as many as there is room for{(usualTokens > 0 ? $"; the default is {usualTokens}" : ", the default")}", -1, int.MaxValue, "--max-tokens", "-n", "--predict", "--n-predict");
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _maxTokens, _stop, _ignoreEnd, _system, _noThinking })
        {
            command.Options.Add(option);
        }
    }

    public int? MaxTokens(ParseResult parsed) => (parsed.GetValue(_maxTokens) ?? _usualTokens) is > 0 and var count ? count : null;

    public string? System(ParseResult parsed) => parsed.GetValue(_system);

    /// <summary>A raw request.</summary>
    public GenerationRequest Request(ParseResult parsed, string prompt, SamplingOptions sampling) => new()
    {
        Prompt = prompt,
        Sampling = sampling with { IgnoreEndOfSequence = parsed.GetValue(_ignoreEnd) },
        MaxTokens = MaxTokens(parsed),
        StopStrings = parsed.GetValue(_stop) ?? [],
    };

    /// <summary>The options of a chat.</summary>
    public ChatOptions Chat(ParseResult parsed, SamplingOptions sampling, JsonSchema? schema) => new()
    {
        Sampling = sampling with { IgnoreEndOfSequence = parsed.GetValue(_ignoreEnd) },
        MaxTokens = MaxTokens(parsed),
        StopStrings = parsed.GetValue(_stop) ?? [],
        Reasoning = !parsed.GetValue(_noThinking),
        ResponseSchema = schema,
    };
}
