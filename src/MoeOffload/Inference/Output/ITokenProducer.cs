namespace MoeOffload.Inference.Output;

/// <summary>Represents the producer of the tokens of a channel.</summary>
internal interface ITokenProducer
{
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
}
