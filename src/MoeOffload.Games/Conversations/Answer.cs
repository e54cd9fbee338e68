using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using MoeOffload.Chat;
using MoeOffload.Games.Actions;

namespace MoeOffload.Games.Conversations;

/// <summary>
/// Represents a turn while it is answered. The speaker adds to it on threads of the thread pool, and the game's thread reads it, without waiting and
/// without allocating. It ends once, by whichever of them is first.
/// </summary>
/// <param name="words">What was said to the character.</param>
/// <param name="choice">Whether the first answer must be an action.</param>
/// <param name="history">Receives the turn when it ends.</param>
/// <param name="texts">The texts for calls that are not carried out.</param>
/// <param name="cancellation">Is canceled when the answer is interrupted. It has no timer, so nobody needs to dispose it.</param>
internal sealed class Answer(string words, ToolChoice choice, History history, CharacterTexts texts, CancellationTokenSource cancellation)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<string> _words = new();
    private readonly ConcurrentQueue<ActionRequest> _actions = new();
    private readonly List<ChatMessage> _messages = [ChatMessage.User(words)];
    private readonly StringBuilder _said = new();
    private long _saidBefore;
    private long _readCount;
    private int _state = (int)CharacterState.Waiting;
    private Exception? _failure;
    private bool _isEnded;

    /// <summary>Gets whether the first answer must be an action.</summary>
    public ToolChoice Choice => choice;

    /// <summary>Gets a token that is canceled when the answer was interrupted.</summary>
    public CancellationToken Interrupted => cancellation.Token;

    /// <summary>Gets or sets what the character does.</summary>
    public CharacterState State
    {
        get => (CharacterState)Volatile.Read(ref _state);
        set
        {
            lock (_gate)
            {
                Volatile.Write(ref _state, (int)(_isEnded ? CharacterState.Idle : value));
            }
        }
    }

    /// <summary>Gets a value that indicates whether nothing follows: neither words nor a failure. The state is read first, so that nothing is missed.</summary>
    public bool IsOver => State == CharacterState.Idle && _words.IsEmpty && Volatile.Read(ref _failure) is null;

    /// <summary>Returns a copy of the messages so far.</summary>
    public ChatMessage[] CopyMessages()
    {
        lock (_gate)
        {
            return [.. _messages];
        }
    }

    /// <summary>Adds words that the character says.</summary>
    public void Say(string text)
    {
        lock (_gate)
        {
            if (_isEnded)
            {
                return;
            }

            _said.Append(text);
            _words.Enqueue(text);
            Volatile.Write(ref _state, (int)CharacterState.Speaking);
        }
    }

    /// <summary>Adds an answer whose words have been said.</summary>
    public void Add(ChatMessage message)
    {
        lock (_gate)
        {
            if (!_isEnded)
            {
                _messages.Add(message);
                _saidBefore += _said.Length;
                _said.Clear();
            }
        }
    }

    /// <summary>Adds the result of an action.</summary>
    public void AddResult(ToolCall call, string result)
    {
        lock (_gate)
        {
            if (!_isEnded)
            {
                _messages.Add(ChatMessage.ToolResult(call, result));
            }
        }
    }

    /// <summary>Lets the game's thread run an action, and returns its result.</summary>
    /// <exception cref="OperationCanceledException">The answer was interrupted.</exception>
    public async Task<string> RunInFrameAsync(ActionRequest action)
    {
        State = CharacterState.Acting;
        _actions.Enqueue(action);
        var interrupted = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = Interrupted.Register(() => interrupted.TrySetCanceled(Interrupted));
        return await (await Task.WhenAny(action.Result, interrupted.Task).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Ends the turn with its last answer.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            if (!_isEnded)
            {
                End(isInterrupted: false);
            }
        }
    }

    /// <summary>Ends the turn early with what has been said. The words stay for the game's thread to read.</summary>
    /// <param name="failure">The reason that the game is told, or <see langword="null"/>.</param>
    public void EndEarly(Exception? failure = null)
    {
        lock (_gate)
        {
            if (!_isEnded)
            {
                _failure = failure;
                AddRest(_said.ToString());
                End(isInterrupted: true);
            }
        }
    }

    /// <summary>Ends the turn with the words that the game has read. Called on the game's thread.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            if (_isEnded)
            {
                return;
            }

            AddRest(Heard());
            End(isInterrupted: true);
        }

        // Callbacks of the token can take longer than a frame has time.
        ThreadPool.QueueUserWorkItem(static source => ((CancellationTokenSource)source!).Cancel(), cancellation);
    }

    /// <summary>Returns the turn as if it ended here, or <see langword="null"/> if it has ended. Called on the game's thread.</summary>
    public ConversationTurn? Peek()
    {
        lock (_gate)
        {
            if (_isEnded)
            {
                return null;
            }

            ChatMessage[] before = [.. _messages];
            AddRest(Heard());
            var turn = new ConversationTurn([.. _messages], isInterrupted: true);
            _messages.Clear();
            _messages.AddRange(before);
            return turn;
        }
    }

    /// <summary>Takes the next words. Called on the game's thread.</summary>
    public bool TryRead([NotNullWhen(true)] out string? text)
    {
        if (!_words.TryDequeue(out text))
        {
            return false;
        }

        Volatile.Write(ref _readCount, _readCount + text.Length);
        return true;
    }

    /// <summary>Takes the next action. Called on the game's thread.</summary>
    public bool TryTakeAction([NotNullWhen(true)] out ActionRequest? action) => _actions.TryDequeue(out action);

    /// <summary>Takes the reason why the answer failed, if it did.</summary>
    public Exception? TakeFailure() => Volatile.Read(ref _failure) is null ? null : Interlocked.Exchange(ref _failure, null);

    // A character does not remember words that nobody heard.
    private string Heard() => _said.ToString(0, (int)Math.Clamp(Volatile.Read(ref _readCount) - _saidBefore, 0, _said.Length));

    // A call must not be without a result, and the last message is an answer.
    private void AddRest(string said)
    {
        int last = _messages.FindLastIndex(message => message.Role == ChatRole.Assistant);
        if (last >= 0)
        {
            foreach (ToolCall call in _messages[last].ToolCalls.Skip(_messages.Count - last - 1).ToArray())
            {
                _messages.Add(ChatMessage.ToolResult(call, texts.Interrupted));
            }
        }

        if (said.Length > 0 || _messages[^1].Role != ChatRole.Assistant)
        {
            _messages.Add(ChatMessage.Assistant(said));
        }
    }

    private void End(bool isInterrupted)
    {
        _isEnded = true;

        // Models are not shown what they thought in earlier turns.
        history.Add(new ConversationTurn([.. _messages.Select(message => message with { ReasoningContent = null })], isInterrupted));
        Volatile.Write(ref _state, (int)CharacterState.Idle);
    }
}
