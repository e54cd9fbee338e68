using System.Diagnostics;
using MoeOffload.Inference.Preparation;

namespace MoeOffload.Inference.Embeddings;

/// <summary>Represents the texts of one call. They are tokenized on another thread than the caller's.</summary>
/// <param name="owner">The embedder or reranker, which must not be finalized while a caller waits for the job.</param>
/// <param name="measureLength">A function that returns the total length of the texts, in characters or tokens.</param>
/// <param name="tokenize">A function that tokenizes the texts.</param>
/// <param name="onPrepared">The action to call when the texts are tokenized.</param>
internal sealed class EmbeddingJob(object owner, Func<long> measureLength, Func<EmbeddingText[]> tokenize, Action onPrepared) : IPreparation
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile EmbeddingText[]? _texts;
    private volatile bool _isEnded;

    /// <summary>Gets the activity of the request, or null if nobody listens.</summary>
    public Activity? Activity { get; init; }

    /// <summary>Gets the timestamp of the start.</summary>
    public long StartTimestamp { get; } = Stopwatch.GetTimestamp();

    /// <summary>Gets the name of the type that computes the job.</summary>
    public string? OwnerName => owner.GetType().FullName;

    /// <summary>Gets the texts. The array is empty until the texts are tokenized.</summary>
    public EmbeddingText[] Texts => _texts ?? [];

    /// <summary>Gets a task that completes when all texts are computed, or faults if they cannot be.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Gets a value that indicates whether the job has ended.</summary>
    public bool IsEnded => _isEnded;

    /// <summary>Completes the job if all of its texts are computed.</summary>
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
            // A list of the caller cannot be read. Tokenizing fails for the same reason and reports it to the caller.
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
            // No caller of this method could report the exception.
            Fail(exception);
        }

        onPrepared();
    }

    /// <summary>Fails the job with an exception.</summary>
    public void Fail(Exception failure)
    {
        _isEnded = true;
        _completion.TrySetException(failure);
    }

    /// <summary>Cancels the job on behalf of its caller.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        _isEnded = true;
        _completion.TrySetCanceled(cancellationToken);
    }
}
