namespace MoeOffload.Inference.Output;

/// <summary>What generates the tokens of a channel.</summary>
internal interface ITokenProducer
{
    /// <summary>Begins to generate; the channel is read for the first time.</summary>
    /// <exception cref="QueueFullException">As many requests run and wait as can.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be made again.</exception>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    void Start();

    /// <summary>Is told that nobody wants the tokens any more, after <see cref="TokenChannel.IsCancelled"/> became true.</summary>
    void OnCancelled();

    /// <summary>Is told that the reader has made room, after <see cref="TokenChannel.HasRoom"/> found none.</summary>
    void OnRoom();

    /// <summary>Gives back what was prepared: the channel is closed, and was never read.</summary>
    void Discard();
}
