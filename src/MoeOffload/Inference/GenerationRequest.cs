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

    /// <summary>The chat that the prompt is of; it constrains the output, and says which special tokens are part of it.</summary>
    internal RenderedChat? Chat { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Prompt);
        ArgumentNullException.ThrowIfNull(StopStrings);
        if (MaxTokens is { } max)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max, nameof(MaxTokens));
        }

        if (StopStrings.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException("A stop string is empty: every text contains it. Remove it.", nameof(StopStrings));
        }

        Sampling?.Validate();
    }
}
