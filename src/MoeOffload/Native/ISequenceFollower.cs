namespace MoeOffload.Native;

/// <summary>
/// Follows the changes of a context's sequences. The computing thread calls its members. A failure to follow must not affect the context.
/// </summary>
internal interface ISequenceFollower
{
    /// <summary>Called after the context computed its batch. It keeps the hidden states of the tokens until the next batch.</summary>
    void OnDecoded(NativeContext context);

    /// <summary>Called after the tokens of a sequence were removed from a position on.</summary>
    void OnRemoved(int sequence, int fromPosition);

    /// <summary>Called after a sequence was copied to another one.</summary>
    void OnCopied(int source, int target);

    /// <summary>Called after positions were removed and later ones were moved down.</summary>
    void OnDiscarded(int sequence, int from, int to);
}
