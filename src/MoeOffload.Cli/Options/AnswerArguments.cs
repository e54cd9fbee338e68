using System.CommandLine;
using MoeOffload.Chat;
using MoeOffload.Schemas;

namespace MoeOffload.Cli.Options;

/// <summary>Represents the options of an answer: what ends it, and the system message of a chat.</summary>
internal sealed class AnswerArguments
{
    private readonly Option<int?> _maxTokens;
    private readonly Option<string[]> _stop = Opt.Texts("TEXT", "Stop generating at this text, and leave it out of the answer; can be repeated", "--stop", "-r", "--reverse-prompt");
    private readonly Option<bool> _ignoreEnd = Opt.Flag("Continue after the model's end-of-sequence token", "--ignore-eos");
    private readonly Option<string?> _system = Opt.Text("TEXT", "The system message of a chat", "--system", "-sys", "--system-prompt");
    private readonly Option<bool> _noThinking = Opt.Flag("Answer without reasoning, if the model supports it", "--no-thinking");
    private readonly Option<bool> _shift = Opt.Flag("Let an answer that fills the context continue, without the older half of what follows the prompt", "--context-shift");
    private readonly Option<bool> _noShift = Opt.Flag("Cut off an answer that fills the context; the default", "--no-context-shift");
    private readonly Option<int?> _keep = Opt.Integer("N", "With --context-shift, never drop the first N tokens; the default of -1 keeps the prompt, but at most half of the context", -1, int.MaxValue, "--keep");
    private readonly Option<ChatOverflow?> _overflow = Opt.Choice(
        "What happens if a chat is too long for the context: its oldest questions and answers are left out (omit), or it ends with an error; the default is omit",
        new Dictionary<string, ChatOverflow> { ["omit"] = ChatOverflow.OmitOldestTurns, ["error"] = ChatOverflow.Error },
        "--chat-overflow");

    private readonly int _usualTokens;

    /// <summary>Creates the options.</summary>
    /// <param name="usualTokens">The default for the maximum number of tokens; -1 for as many as the context holds.</param>
    public AnswerArguments(int usualTokens)
    {
        _usualTokens = usualTokens;
        _maxTokens = Opt.Integer(
            "N", $"The maximum number of tokens to generate; {(usualTokens > 0 ? $"the default is {usualTokens}, and -1" : "the default of -1")} means as many as the context holds", -1, int.MaxValue, "--max-tokens", "-n", "--predict", "--n-predict");
    }

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _maxTokens, _stop, _ignoreEnd, _system, _noThinking, _shift, _noShift, _keep, _overflow })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(_shift) && result.GetValue(_noShift))
            {
                result.AddError("--context-shift and --no-context-shift cannot be combined: use one of them.");
            }
        });
    }

    public int? MaxTokens(ParseResult parsed) => (parsed.GetValue(_maxTokens) ?? _usualTokens) is > 0 and var count ? count : null;

    public string? System(ParseResult parsed) => parsed.GetValue(_system);

    /// <summary>Creates a request that continues a prompt.</summary>
    public GenerationRequest Request(ParseResult parsed, string prompt, SamplingOptions sampling) => new()
    {
        Prompt = prompt,
        Sampling = sampling with { IgnoreEndOfSequence = parsed.GetValue(_ignoreEnd) },
        MaxTokens = MaxTokens(parsed),
        StopStrings = parsed.GetValue(_stop) ?? [],
        ContextFull = ContextFull(parsed),
        KeepTokens = KeepTokens(parsed),
    };

    /// <summary>Creates the options of a chat.</summary>
    public ChatOptions Chat(ParseResult parsed, SamplingOptions sampling, JsonSchema? schema) => new()
    {
        Sampling = sampling with { IgnoreEndOfSequence = parsed.GetValue(_ignoreEnd) },
        MaxTokens = MaxTokens(parsed),
        StopStrings = parsed.GetValue(_stop) ?? [],
        Reasoning = !parsed.GetValue(_noThinking),
        ResponseSchema = schema,
        ContextFull = ContextFull(parsed),
        KeepTokens = KeepTokens(parsed),
        Overflow = parsed.GetValue(_overflow) ?? ChatOverflow.OmitOldestTurns,
    };

    private ContextFullAction ContextFull(ParseResult parsed) => parsed.GetValue(_shift) ? ContextFullAction.Shift : ContextFullAction.Stop;

    private int? KeepTokens(ParseResult parsed) => parsed.GetValue(_keep) is >= 0 and var count ? count : null;
}
