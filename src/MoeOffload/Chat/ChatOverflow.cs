namespace MoeOffload.Chat;

/// <summary>Specifies what happens if a chat is too long for the context.</summary>
public enum ChatOverflow
{
    /// <summary>
    /// The oldest turns are left out until the prompt fits and leaves room for an answer: a quarter of the sequence's length, or
    /// <see cref="ChatOptions.MaxTokens"/> if that is less. A turn begins with a message of the user and includes everything up to the next
    /// one. System messages, what comes before the first turn, and the last turn are always kept. <see cref="ChatStream.OmittedMessageCount"/>
    /// is the number of messages that were left out. If the rest does not fit either, a <see cref="ContextFullException"/> is thrown.
    /// </summary>
    OmitOldestTurns,

    /// <summary>A <see cref="ContextFullException"/> is thrown, and nothing is left out.</summary>
    Error,
}
