namespace MoeOffload.Native;

/// <summary>Told what happens to the sequences of a context, by the thread that computes. What it cannot follow must not harm the context.</summary>
internal interface ISequenceFollower
{
    /// <summary>The context has computed its batch, and keeps the hidden states of its tokens until the next one.</summary>
    void OnDecoded(NativeContext context);

    /// <summary>A sequence has lost its tokens from a position on.</summary>
    void OnRemoved(int sequence, int fromPosition);

    /// <summary>A sequence holds what another one holds.</summary>
    void OnCopied(int source, int target);

    /// <summary>Positions were forgotten, and later ones moved down.</summary>
    void OnDiscarded(int sequence, int from, int to);
}
