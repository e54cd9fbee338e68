using MoeOffload.Inference.Sampling;

namespace MoeOffload;

/// <summary>Represents a request to generate text.</summary>
public sealed record GenerationRequest
{
    /// <summary>Gets or sets the prompt. No chat template is applied to it.</summary>
    public string Prompt
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Prompt));
    } = string.Empty;

    /// <summary>
    /// Gets or sets the prompt as token ids, or <see langword="null"/> to use <see cref="Prompt"/>. No special tokens are added. The
    /// default is <see langword="null"/>.
    /// </summary>
    public IReadOnlyList<int>? PromptTokens { get; init; }

    /// <summary>Gets or sets the sampling options, or <see langword="null"/> for the default options.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>
    /// Gets or sets the maximum number of tokens to generate, or <see langword="null"/> to generate until the model ends its output or the
    /// context is full.
    /// </summary>
    public int? MaxTokens { get; init; }

    /// <summary>
    /// Gets or sets the strings that end the generation when the model generates one of them. The output never contains any part of the
    /// stop string.
    /// </summary>
    public IReadOnlyList<string> StopStrings
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(StopStrings));
    } = [];

    /// <summary>
    /// Gets or sets the ids of further tokens that end the generation, in addition to the end-of-generation tokens of the vocabulary. Their
    /// text is not part of the output. The default is an empty list.
    /// </summary>
    public IReadOnlyList<int> StopTokens
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(StopTokens));
    } = [];

    /// <summary>
    /// Gets or sets a value that indicates whether text such as <c>&lt;|special|&gt;</c> in the prompt is tokenized as special tokens. Set
    /// it to <see langword="false"/> for untrusted text. The default is <see langword="true"/>, as in the tools of llama.cpp.
    /// </summary>
    public bool ParseSpecialTokens { get; init; } = true;

    /// <summary>
    /// Gets or sets a value that indicates whether special tokens that the model generates are included in the text. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool RenderSpecialTokens { get; init; }

    /// <summary>
    /// Gets or sets the images of the prompt, by the text that stands for each in <see cref="Prompt"/>, such as <c>&lt;image-1&gt;</c>. Each of
    /// these texts must occur in the prompt. The model must have been loaded with a projector. The default is an empty dictionary.
    /// </summary>
    public IReadOnlyDictionary<string, PromptImage> Images
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Images));
    } = new Dictionary<string, PromptImage>();

    /// <summary>
    /// Gets or sets the output format that the rendered prompt requires, or <see langword="null"/> if only <see cref="Sampling"/> applies.
    /// </summary>
    internal OutputFormat? Format { get; init; }

    /// <summary>
    /// Gets or sets the priority. If several generations wait for a slot, or several prompts share a step, the one with the greatest value
    /// comes first; those with the same value are handled in the order of their arrival. Generations that are already decoding are not
    /// delayed. The default is 0.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>
    /// Gets or sets the time limit of the generation, or <see langword="null"/> for no limit. The default is <see langword="null"/>.
    /// </summary>
    /// <remarks>
    /// The time is measured from the first read of the stream and includes the time in the queue. When it expires, the generation ends
    /// within one step with <see cref="StopReason.Deadline"/> instead of an exception, and the tokens generated so far are its result.
    /// </remarks>
    public TimeSpan? Deadline { get; init; }

    /// <summary>
    /// Gets or sets what happens when the generation fills its share of the context. The default is <see cref="ContextFullAction.Stop"/>.
    /// </summary>
    public ContextFullAction ContextFull { get; init; }

    /// <summary>
    /// Gets or sets the number of tokens at the beginning that are never removed by <see cref="ContextFullAction.Shift"/>. The default is
    /// <see langword="null"/>, which keeps the prompt, but at most half of the sequence's share of the context.
    /// </summary>
    public int? KeepTokens { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether speculative decoding is used if <see cref="ContextOptions.Speculation"/> enables it for
    /// the session. The default is <see langword="true"/>.
    /// </summary>
    public bool Speculate { get; init; } = true;

    /// <summary>Validates the options that can be checked in constant time.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateNumbers()
    {
        if (MaxTokens is { } max)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max, nameof(MaxTokens));
        }

        if (Deadline is { } deadline)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadline, TimeSpan.Zero, nameof(Deadline));
        }

        if (KeepTokens is { } keep)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(keep, nameof(KeepTokens));
        }

        OptionRange.CheckDefined(ContextFull, nameof(ContextFull));
        Sampling?.ValidateNumbers();
    }

    /// <summary>Validates the options whose check takes longer the larger they are.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void ValidateContent()
    {
        if (StopStrings.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException("A stop string is empty. Remove it.", nameof(StopStrings));
        }

        Sampling?.ValidateContent();
    }
}
