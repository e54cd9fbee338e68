namespace MoeOffload.Inference.Output;

/// <summary>Represents the producer of the tokens of a channel.</summary>
internal interface ITokenProducer
{
    /// <summary>Starts the generation. The method is called when the channel is first read.</summary>
    /// <exception cref="QueueFullException">The queue of the session is full.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    void Start();

    /// <summary>
    /// Notifies the producer that the tokens are no longer wanted. The method is called after <see cref="TokenChannel.IsCancelled"/> was
    /// set.
    /// </summary>
    void OnCancelled();

    /// <summary>
    /// Notifies the producer that the reader has made room. The method is called after <see cref="TokenChannel.HasRoom"/> returned
    /// <see langword="false"/>.
    /// </summary>
    void OnRoom();

    /// <summary>Releases what was prepared. The method is called if the channel is closed without having been read.</summary>
    void Discard();
}
