using MoeOffload.Inference.Sampling;

namespace MoeOffload;

/// <summary>What to generate. Plain data: making one calls nothing.</summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt, taken as it is: no chat template is applied.</summary>
    public string Prompt { get; init; } = string.Empty;

    /// <summary>The prompt as tokens, used instead of <see cref="Prompt"/> where set. Nothing is added to it.</summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>How tokens are chosen; null takes the defaults.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>The most tokens to generate; null goes on until the model ends or the context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Texts that end the generation where they appear. No part of one is ever part of the output.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Whether <c>&lt;|special|&gt;</c> texts in the prompt become special tokens, as in llama.cpp's tools. Turn it off for text from
    /// strangers.
    /// </summary>
    public bool ParseSpecialTokens { get; init; } = true;

    /// <summary>Whether special tokens that the model generates appear in the text.</summary>
    public bool RenderSpecialTokens { get; init; }

    /// <summary>The format that the prompt asks the output to have; null leaves it to <see cref="Sampling"/>.</summary>
    internal OutputFormat? Format { get; init; }

    /// <summary>
    /// How urgent it is: where several wait for a place, or prompts share a step, the one with the larger number comes first, and those
    /// with the same number in the order of their arrival. Default: 0. Generations that have begun to decode are not held up.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// The time that it may take, from the first reading of its stream, waiting for a place included. As with
    /// <see cref="MaxTokens"/>, the tokens until then are its result: it ends with <see cref="StopReason.Deadline"/>, not with an
    /// exception, within one step. Default: null, there is no limit.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>What happens when it fills its part of the context. Default: it stops.</summary>
    public ContextFullAction ContextFull { get; init; }

    /// <summary>
    /// With <see cref="ContextFullAction.Shift"/>, how many tokens from the beginning are never forgotten. Default: null, the prompt, and
    /// of a prompt longer than half of its part of the context the first half of that part.
    /// </summary>
    public int? ShiftKeep { get; init; }

    /// <summary>Whether <see cref="ContextOptions.Speculation"/> applies to it, where the session has it. Default: true.</summary>
    public bool Speculate { get; init; } = true;

    /// <summary>Checks what takes no longer for larger requests.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        ArgumentNullException.ThrowIfNull(Prompt);
        ArgumentNullException.ThrowIfNull(StopStrings);
        if (MaxTokens is { } max)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max, nameof(MaxTokens));
        }

        if (Deadline is { } deadline)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero, nameof(Deadline));
        }

        if (ShiftKeep is { } keep)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(keep, nameof(ShiftKeep));
        }

        OptionRange.CheckDefined(ContextFull, nameof(ContextFull));
        Sampling?.ValidateNumbers();
    }

    /// <summary>Checks what takes longer the larger it is.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateContent()
    {
        if (StopStrings.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException("A stop string is empty: every text contains it. Remove it.", nameof(StopStrings));
        }

        Sampling?.ValidateContent();
    }
}
