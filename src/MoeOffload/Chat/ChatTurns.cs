namespace MoeOffload.Chat;

/// <summary>
/// Represents a chat as turns. A turn begins with a message of the user and includes everything up to the next one, so that a call of a tool
/// is never separated from its result.
/// </summary>
internal sealed class ChatTurns
{
    // What a template puts around a message, in tokens. An estimate is enough, because the result is measured.
    private const int TokensAround = 8;

    private readonly IReadOnlyList<ChatMessage> _messages;
    private readonly int[] _starts;

    /// <summary>Divides a chat into turns.</summary>
    /// <param name="messages">The messages.</param>
    public ChatTurns(IReadOnlyList<ChatMessage> messages)
    {
        _messages = messages;
        _starts = [.. Enumerable.Range(0, messages.Count).Where(i => messages[i].Role == ChatRole.User)];
    }

    /// <summary>Gets the number of turns.</summary>
    public int Count => _starts.Length;

    /// <summary>Returns the chat without its oldest turns. System messages stay.</summary>
    /// <param name="count">The number of turns to leave out, which is less than <see cref="Count"/>.</param>
    public IReadOnlyList<ChatMessage> Without(int count) => count == 0
        ? _messages
        : [.. _messages.Where((message, index) => index < _starts[0] || index >= _starts[count] || IsSystem(message))];

    /// <summary>
    /// Returns the numbers of turns to leave out that are tried in order. They are some distance apart and do not change when messages are
    /// added, so that most answers of a growing chat leave out the same turns, and the prompt's beginning stays in the prefix cache.
    /// </summary>
    /// <param name="room">The maximum number of tokens in the prompt.</param>
    /// <param name="measure">Returns the number of tokens of a text.</param>
    public int[] Steps(int room, Func<string, int> measure)
    {
        const int StepsInRoom = 4;
        var steps = new List<int>();
        long passed = 0;
        long next = 0;
        for (int turn = 1; turn < _starts.Length; turn++)
        {
            for (int i = _starts[turn - 1]; i < _starts[turn]; i++)
            {
                passed += IsSystem(_messages[i]) ? 0 : TokensAround + Measure(_messages[i], measure);
            }

            if (passed > next)
            {
                steps.Add(turn);
                next = passed + (room / StepsInRoom);
            }
        }

        if (_starts.Length > 1 && (steps.Count == 0 || steps[^1] < _starts.Length - 1))
        {
            steps.Add(_starts.Length - 1);
        }

        return [.. steps];
    }

    private static bool IsSystem(ChatMessage message) => message.Role is ChatRole.System or ChatRole.Developer;

    private static int Measure(ChatMessage message, Func<string, int> measure) =>
        measure(message.Content) + measure(message.ReasoningContent ?? string.Empty) + message.ToolCalls.Sum(call => measure(call.Name) + measure(call.Arguments));
}
