namespace MoeOffload.Inference.Planning;

/// <summary>Represents the embeddings of an image, which are computed on another thread when they are requested.</summary>
internal interface IImageInput
{
    /// <summary>Gets a value that indicates whether the embeddings are available.</summary>
    bool IsReady { get; }

    /// <summary>Gets the reason that they cannot be computed, or null.</summary>
    Exception? Failure { get; }

    /// <summary>Requests the embeddings, unless they are available or already requested. The scheduler is woken when they are available.</summary>
    void Request();

    /// <summary>Releases the embeddings because they are in the KV cache. They can be requested again.</summary>
    void Release();
}
