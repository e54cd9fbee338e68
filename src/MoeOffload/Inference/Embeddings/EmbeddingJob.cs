using MoeOffload.Embeddings;

namespace MoeOffload.Inference.Embeddings;

/// <summary>The texts of one call.</summary>
/// <param name="owner">The embedder, which must not be finalized while it is waited for.</param>
/// <param name="texts">The texts.</param>
internal sealed class EmbeddingJob(Embedder owner, EmbeddingText[] texts)
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isEnded;

    /// <summary>The texts.</summary>
    public EmbeddingText[] Texts => texts;

    /// <summary>Completes when all texts are computed, or why they are not.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>Ends it if all of its texts are done.</summary>
    public void CompleteIfDone()
    {
        if (Array.TrueForAll(texts, text => text.IsDone))
        {
            _isEnded = true;
            _completion.TrySetResult();
            GC.KeepAlive(owner);
        }
    }

    /// <summary>Ends it with an error.</summary>
    public void Fail(Exception failure)
    {
        _isEnded = true;
        _completion.TrySetException(failure);
    }

    /// <summary>Ends it because its caller does not want it any more.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        _isEnded = true;
        _completion.TrySetCanceled(cancellationToken);
    }
}
