namespace MoeOffload.Games;

/// <summary>Provides options for a character.</summary>
public sealed record CharacterOptions
{
    /// <summary>Gets or sets the name, which is unique in its world. A save finds the character by it.</summary>
    public required string Name
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Name));
    }

    /// <summary>
    /// Gets or sets who the character is, as instructions to the model: its nature, its manner of speaking, the language in which it answers, what it
    /// knows and wants. The default is an empty string.
    /// </summary>
    public string Persona
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Persona));
    } = string.Empty;

    /// <summary>Gets or sets what the character can do. The default is a new instance without actions.</summary>
    public CharacterActions Actions
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Actions));
    } = new();

    /// <summary>Gets or sets how the character selects its words. The default is <see cref="SamplerPresets.Conversational"/>.</summary>
    public SamplingOptions Sampling
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Sampling));
    } = SamplerPresets.Conversational;

    /// <summary>
    /// Gets or sets the maximum number of tokens in an answer. An action that the character must use has at least 256. The default is 128, which is about
    /// five sentences.
    /// </summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>
    /// Gets or sets the maximum number of tokens that the character remembers, or <see langword="null"/> for what the context of the brain has room for,
    /// or 4096 if that is not known. If the turns are longer, the oldest ones are forgotten until three quarters are left. The default is
    /// <see langword="null"/>.
    /// </summary>
    public int? HistoryTokens { get; init; }

    /// <summary>
    /// Gets or sets the time limit of an answer, from <see cref="Character.Ask"/> on, including the time in the queue and for its actions, or
    /// <see langword="null"/> for none. The answer then ends with what was said. The default is <see langword="null"/>.
    /// </summary>
    public TimeSpan? Deadline { get; init; }

    /// <summary>Gets or sets the number of times that the character can act before it must answer with words. The default is 3.</summary>
    public int MaxActions { get; init; } = 3;

    /// <summary>Gets or sets the first value of <see cref="Character.Priority"/>. The default is 0.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Gets or sets a value that indicates whether the model reasons before it answers, if it can do without. Players wait for that. The default is
    /// <see langword="false"/>.
    /// </summary>
    public bool Reasoning { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Name, nameof(Name));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxTokens, 1, nameof(MaxTokens));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxActions, 1, nameof(MaxActions));
        ArgumentOutOfRangeException.ThrowIfLessThan(HistoryTokens ?? 0, 0, nameof(HistoryTokens));
        if (Deadline is { } deadline && (deadline <= TimeSpan.Zero || deadline.TotalMilliseconds > int.MaxValue))
        {
            throw new ArgumentOutOfRangeException(nameof(Deadline), deadline, "Specify a time of up to 24 days, or null for no limit.");
        }

        Sampling.Validate();
    }
}
