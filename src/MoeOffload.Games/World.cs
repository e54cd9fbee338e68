using System.Diagnostics;
using MoeOffload.Games.Conversations;

namespace MoeOffload.Games;

/// <summary>
/// Represents the characters of a game, what all of them know, and the brain that answers for them. Create one for a game or a level.
/// </summary>
/// <remarks>
/// The members are for one thread at a time, which is the game's, except for <see cref="Knowledge"/> and <see cref="WarmUpAsync"/>, which any thread can
/// use.
/// </remarks>
public sealed class World : IDisposable
{
    private readonly CharacterTexts _texts;
    private readonly Speaker _speaker;
    private readonly Dictionary<string, ConversationTurn[]> _absent = new(StringComparer.Ordinal);
    private volatile Character[] _characters = [];
    private volatile string _knowledge;
    private volatile bool _isDisposed;
    private int _first;

    /// <summary>Initializes a new instance of the <see cref="World"/> class.</summary>
    /// <param name="brain">The brain, which stays the caller's.</param>
    /// <param name="options">The options, or <see langword="null"/> for the default options.</param>
    /// <exception cref="ArgumentException">The brain answers less than one character at a time.</exception>
    public World(ICharacterBrain brain, WorldOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(brain);
        options ??= new WorldOptions();
        int parallel = brain.ParallelAnswers;
        ArgumentOutOfRangeException.ThrowIfLessThan(parallel, 1, nameof(brain));
        _texts = options.Texts;
        _knowledge = options.Knowledge;
        _speaker = new Speaker(brain, new SpeakerQueue(parallel), _texts);
    }

    /// <summary>Gets or sets what all characters know. A new value is used from the next answer on, whose whole prompt is then computed once.</summary>
    public string Knowledge
    {
        get => _knowledge;
        set => _knowledge = value ?? throw new ArgumentNullException(nameof(value));
    }

    /// <summary>Gets the characters, in the order in which they were added. The list does not change.</summary>
    public IReadOnlyList<Character> Characters => _characters;

    /// <summary>Adds a character. If a save that was restored has a character of this name, it remembers what is in the save.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="ArgumentException">An option is not valid, or there already is a character with this name.</exception>
    /// <exception cref="ObjectDisposedException">The world has been disposed.</exception>
    public Character AddCharacter(CharacterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        options.Validate();
        if (Array.Exists(_characters, other => other.Name == options.Name))
        {
            throw new ArgumentException($"There already is a character '{options.Name}'. Give each one a name of its own.", nameof(options));
        }

        var character = new Character(options, this, _speaker, _texts);
        if (_absent.Remove(options.Name, out ConversationTurn[]? turns))
        {
            character.Restore(turns);
        }

        _characters = [.. _characters, character];
        return character;
    }

    /// <summary>Removes a character. Its answer is interrupted, and it cannot be asked again.</summary>
    /// <param name="character">The character.</param>
    /// <returns><see langword="true"/> if the character was in this world; otherwise, <see langword="false"/>.</returns>
    public bool Remove(Character character)
    {
        ArgumentNullException.ThrowIfNull(character);
        if (!Contains(character))
        {
            return false;
        }

        character.Interrupt();
        _characters = [.. _characters.Where(other => other != character)];
        return true;
    }

    /// <summary>Runs the actions that characters have decided on, on this thread. Call it in each frame.</summary>
    /// <param name="maxTime">
    /// The time after which no further action is started in this frame, or <see langword="null"/> for no limit. One action is always run if there is any,
    /// and those of the other characters are first in the next frame.
    /// </param>
    /// <returns>The number of actions.</returns>
    /// <inheritdoc cref="Character.Update" path="/remarks"/>
    public int Update(TimeSpan? maxTime = null)
    {
        Character[] characters = _characters;
        long start = Stopwatch.GetTimestamp();
        int count = 0;
        for (int i = 0; i < characters.Length; i++)
        {
            // If an action throws, it is the next character's turn as well.
            Character character = characters[_first++ % characters.Length];
            _first %= characters.Length;
            while (character.TryAct())
            {
                count++;
                if (maxTime is { } limit && Stopwatch.GetElapsedTime(start) >= limit)
                {
                    return count;
                }
            }
        }

        return count;
    }

    /// <summary>
    /// Computes the beginning of all characters' prompts, so that the first answer of each starts sooner: what all of them know is computed once. Call it
    /// while the game loads. How much of it is kept depends on the brain; a session keeps at least what all of them know.
    /// </summary>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <inheritdoc cref="Character.WarmUpAsync" path="/exception"/>
    public async Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);

        // One after the other, so that each finds in the cache what the one before it has computed.
        foreach (Character character in _characters)
        {
            await character.WarmUpAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Returns what the characters remember, to be written to the game's own save. An answer that has not ended is saved as if it were interrupted now,
    /// and continues. Takes no time that depends on the texts.
    /// </summary>
    public WorldSave Save()
    {
        var histories = new Dictionary<string, ConversationTurn[]>(_absent, StringComparer.Ordinal);
        foreach (Character character in _characters)
        {
            histories[character.Name] = character.Snapshot();
        }

        return new WorldSave(histories);
    }

    /// <summary>
    /// Restores what the characters remembered when the game was saved. Answers are interrupted. A character that is not in the save forgets
    /// everything; one that is in it but not yet in this world remembers when it is added.
    /// </summary>
    /// <param name="save">The save.</param>
    public void Restore(WorldSave save)
    {
        ArgumentNullException.ThrowIfNull(save);
        _absent.Clear();
        foreach (KeyValuePair<string, ConversationTurn[]> history in save.Histories)
        {
            _absent[history.Key] = history.Value;
        }

        foreach (Character character in _characters)
        {
            character.Restore(_absent.Remove(character.Name, out ConversationTurn[]? turns) ? turns : []);
        }
    }

    /// <summary>Interrupts all answers. The characters cannot be asked again. The brain stays usable.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (Character character in _characters)
        {
            character.Interrupt();
        }
    }

    /// <summary>Throws if a character cannot be asked any more.</summary>
    internal void ThrowIfGone(Character character)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ObjectDisposedException.ThrowIf(!Contains(character), character);
    }

    private bool Contains(Character character) => Array.IndexOf(_characters, character) >= 0;
}
