using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using MoeOffload.Chat;
using MoeOffload.Games.Actions;
using MoeOffload.Games.Conversations;

namespace MoeOffload.Games;

/// <summary>Represents a character that answers, acts and remembers. <see cref="World.AddCharacter"/> creates it.</summary>
/// <remarks>
/// No member waits for the model. <see cref="TryRead"/>, <see cref="Update"/>, <see cref="State"/> and <see cref="IsAnswering"/> are for each frame, and
/// allocate nothing. The members are for one thread at a time, which is the game's, except for <see cref="Priority"/>, <see cref="Persona"/> and
/// <see cref="WarmUpAsync"/>, which any thread can use.
/// </remarks>
public sealed class Character
{
    private readonly CharacterOptions _options;
    private readonly World _world;
    private readonly Speaker _speaker;
    private readonly CharacterTexts _texts;
    private readonly History _history = new();
    private readonly SpeakerView _view;
    private volatile GenerationStatistics? _lastStatistics;
    private volatile string _persona;
    private volatile int _priority;
    private Answer? _answer;

    internal Character(CharacterOptions options, World world, Speaker speaker, CharacterTexts texts)
    {
        _options = options;
        _world = world;
        _speaker = speaker;
        _texts = texts;
        _persona = options.Persona;
        _priority = options.Priority;
        _view = new SpeakerView(this);
    }

    /// <summary>Gets the name.</summary>
    public string Name => _options.Name;

    /// <summary>Gets what the character can do.</summary>
    public CharacterActions Actions => _options.Actions;

    /// <summary>Gets or sets who the character is. A new value is used from the next answer on, whose prompt is then computed from there.</summary>
    public string Persona
    {
        get => _persona;
        set => _persona = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>
    /// Gets or sets the priority, such as the negative distance to the player. Of the characters that wait, the one with the greatest priority is next.
    /// A new value takes effect immediately, except on an answer that has begun.
    /// </summary>
    public int Priority
    {
        get => _priority;
        set => _priority = value;
    }

    /// <summary>Gets what the character does.</summary>
    public CharacterState State => _answer?.State ?? CharacterState.Idle;

    /// <summary>
    /// Gets a value that indicates whether the character has still to answer, or words of its answer have not been read, or <see cref="Update"/> has still
    /// to throw its failure.
    /// </summary>
    public bool IsAnswering => _answer is { IsOver: false };

    /// <summary>Gets what the character remembers, the oldest turn first. A turn is added when it has ended. The list does not change.</summary>
    public IReadOnlyList<ConversationTurn> History => _history.Turns;

    /// <summary>
    /// Gets the statistics of the last answer, such as how much of its prompt was in the cache, or <see langword="null"/> if there is none or the brain
    /// does not report them.
    /// </summary>
    public GenerationStatistics? LastStatistics => _lastStatistics;

    /// <summary>Says something to the character, or tells it what happens. It begins to answer as soon as its priority allows.</summary>
    /// <param name="words">The words.</param>
    /// <param name="action">
    /// Whether the character decides by itself to act (<see cref="ToolChoice.Auto"/>, the default), must act (<see cref="ToolChoice.Required"/>), must
    /// use a certain action (<see cref="ToolChoice.Tool"/>), or must not act (<see cref="ToolChoice.None"/>) in its first answer. It can act again
    /// before it speaks.
    /// </param>
    /// <remarks>An answer that has not ended is interrupted. Unlike the members for each frame, this method allocates.</remarks>
    /// <exception cref="ArgumentException">The words are empty, or the character has no such action.</exception>
    /// <exception cref="ObjectDisposedException">The world has been disposed, or the character was removed from it.</exception>
    public void Ask(string words, ToolChoice action = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(words);
        if (action == ToolChoice.Required && Actions.Count == 0)
        {
            throw new ArgumentException($"{Name} must act, but has no actions. Add one to Actions.", nameof(action));
        }

        if (action.ToolName is { } name && !Actions.Contains(name))
        {
            throw new ArgumentException($"{Name} has no action '{name}'. It has: {string.Join(", ", Actions.Names)}.", nameof(action));
        }

        _world.ThrowIfGone(this);
        Interrupt();
        var answer = new Answer(words, action, _history, _texts, new CancellationTokenSource());
        _answer = answer;
        _ = Task.Run(() => _speaker.AnswerAsync(answer, _view));
    }

    /// <summary>Reads the next words of the answer, if there are any. Call it in each frame until it returns <see langword="false"/>.</summary>
    /// <param name="words">When this method returns <see langword="true"/>, contains the words: a token or several.</param>
    public bool TryRead([NotNullWhen(true)] out string? words)
    {
        words = null;
        return _answer is { } answer && answer.TryRead(out words);
    }

    /// <summary>
    /// Runs the actions that the character has decided on, on this thread. <see cref="World.Update"/> does this for all characters. Call one of them in
    /// each frame.
    /// </summary>
    /// <returns>The number of actions.</returns>
    /// <remarks>
    /// An exception of an action is thrown here. The model reads <see cref="CharacterTexts.Failed"/> as the result, and the character continues. If the
    /// answer itself fails, the exception is thrown here once, for example an <see cref="InferenceException"/>, and the character can be asked again.
    /// </remarks>
    public int Update()
    {
        int count = 0;
        while (TryAct())
        {
            count++;
        }

        return count;
    }

    /// <summary>
    /// Ends the answer, for example because the player walks away. The character remembers the words that were read, and that it was interrupted. Words
    /// that were not read, and actions that were not run, are dropped.
    /// </summary>
    public void Interrupt()
    {
        _answer?.Interrupt();
        _answer = null;
    }

    /// <summary>Lets the character forget all turns. An answer that has not ended is interrupted first.</summary>
    public void Forget() => Restore([]);

    /// <summary>
    /// Computes the beginning of the character's prompts, so that its first answer starts sooner. <see cref="World.WarmUpAsync"/> does this for all characters.
    /// </summary>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="MoeOffloadException">The prompt cannot be computed, for example because it is longer than the context.</exception>
    /// <exception cref="ArgumentException">The persona or an action is not valid for the model.</exception>
    /// <exception cref="ObjectDisposedException">The world has been disposed, or the character was removed from it.</exception>
    /// <exception cref="OperationCanceledException">The call was canceled.</exception>
    public Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        _world.ThrowIfGone(this);
        return Task.Run(() => _speaker.WarmUpAsync(_view, cancellationToken), cancellationToken);
    }

    /// <summary>Runs the next action, if there is one. Throws the failure of an answer.</summary>
    internal bool TryAct()
    {
        if (_answer is not { } answer)
        {
            return false;
        }

        if (answer.TakeFailure() is { } failure)
        {
            ExceptionDispatchInfo.Capture(failure).Throw();
        }

        if (!answer.TryTakeAction(out ActionRequest? action))
        {
            return false;
        }

        action.Run();
        return true;
    }

    /// <summary>Returns the history, with an answer that has not ended as if it were interrupted now.</summary>
    internal ConversationTurn[] Snapshot() => _answer?.Peek() is { } turn ? [.. _history.Turns, turn] : _history.Turns;

    /// <summary>Replaces the history.</summary>
    internal void Restore(ConversationTurn[] turns)
    {
        Interrupt();
        _history.Replace(turns);
    }

    /// <summary>The character as the threads that answer for it see it.</summary>
    private sealed class SpeakerView(Character character) : ISpeaker
    {
        public int Priority => character.Priority;

        public string SystemText => character._world.Knowledge is { Length: > 0 } knowledge
            ? character.Persona.Length > 0 ? $"{knowledge}\n\n{character.Persona}" : knowledge
            : character.Persona;

        public CharacterActions Actions => character.Actions;

        public History History => character._history;

        public int? HistoryTokens => character._options.HistoryTokens;

        public TimeSpan? Deadline => character._options.Deadline;

        public int MaxActions => character._options.MaxActions;

        public ChatOptions MakeOptions() => new()
        {
            Tools = Actions.ToTools(),
            ParallelToolCalls = false,
            Sampling = character._options.Sampling,
            MaxTokens = character._options.MaxTokens,
            Priority = Priority,
            Reasoning = character._options.Reasoning,
        };

        public void SetStatistics(GenerationStatistics? statistics) => character._lastStatistics = statistics;
    }
}
