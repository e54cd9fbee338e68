using MoeOffload.Embeddings;
using MoeOffload.Inference.Preparation;

namespace MoeOffload.Inference.Embeddings;

/// <summary>Represents the texts of one call, which are tokenized first, on another thread than the caller's.</summary>
/// <param name="owner">The embedder, which must not be finalized while it is waited for.</param>
/// <param name="measureLength">Returns the length of all texts, in characters or tokens.</param>
/// <param name="tokenize">Tokenizes the texts.</param>
/// <param name="onPrepared">Called once they are tokenized.</param>
internal sealed class EmbeddingJob(Embedder owner, Func<long> measureLength, Func<EmbeddingText[]> tokenize, Action onPrepared) : IPreparation
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile EmbeddingText[]? _texts;
    private volatile bool _isEnded;

    /// <summary>Gets the texts; there are none before they are tokenized.</summary>
    public EmbeddingText[] Texts => _texts ?? [];

    /// <summary>Completes when all texts are computed, or why they are not.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>Ends it if all of its texts are done.</summary>
    public void CompleteIfDone()
    {
        if (Array.TrueForAll(Texts, text => text.IsDone))
        {
            _isEnded = true;
            _completion.TrySetResult();
            GC.KeepAlive(owner);
        }
    }

    /// <inheritdoc/>
    bool IPreparation.IsWanted => !_isEnded;

    /// <inheritdoc/>
    bool IPreparation.IsShort()
    {
        try
        {
            return measureLength() <= PreparationQueue.ShortLength;
        }
        catch (Exception)
        {
            // A list of the caller's that cannot be read: tokenizing finds it as well, and tells the caller.
            return false;
        }
    }

    /// <inheritdoc/>
    void IPreparation.Run()
    {
        try
        {
            _texts = tokenize();
            CompleteIfDone();
        }
        catch (Exception exception)
        {
            // Nothing above this frame could tell the caller.
            Fail(exception);
        }

        onPrepared();
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
