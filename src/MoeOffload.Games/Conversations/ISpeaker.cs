using MoeOffload.Chat;

namespace MoeOffload.Games.Conversations;

/// <summary>Represents a character for the threads that answer for it. The properties can change while they do.</summary>
internal interface ISpeaker
{
    /// <summary>Gets the priority.</summary>
    int Priority { get; }

    /// <summary>Gets the knowledge of the world and the persona.</summary>
    string SystemText { get; }

    /// <summary>Gets what the character can do.</summary>
    CharacterActions Actions { get; }

    /// <summary>Gets what it remembers.</summary>
    History History { get; }

    /// <summary>Gets the maximum number of tokens that it remembers, or <see langword="null"/> for what the context has room for.</summary>
    int? HistoryTokens { get; }

    /// <summary>Gets the time limit of an answer, or <see langword="null"/>.</summary>
    TimeSpan? Deadline { get; }

    /// <summary>Gets the number of times that it can act before it must answer.</summary>
    int MaxActions { get; }

    /// <summary>Returns the options of its answers.</summary>
    ChatOptions MakeOptions();

    /// <summary>Receives the statistics of an answer.</summary>
    void SetStatistics(GenerationStatistics? statistics);
}
