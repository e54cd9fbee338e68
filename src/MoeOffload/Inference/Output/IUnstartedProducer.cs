namespace MoeOffload.Inference.Output;

/// <summary>Represents a producer that starts when its channel is first read.</summary>
internal interface IUnstartedProducer : ITokenProducer
{
    /// <summary>Starts the generation.</summary>
    /// <exception cref="QueueFullException">The queue of the session is full.</exception>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    void Start();
}
