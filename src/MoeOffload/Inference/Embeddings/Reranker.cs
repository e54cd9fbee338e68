using MoeOffload.Inference;
using MoeOffload.Inference.Embeddings;

namespace MoeOffload.Embeddings;

/// <summary>
/// Orders documents by their relevance to a query, with a model that was trained for it. Instances are thread-safe: the documents of several
/// callers are computed together, in the order of their arrival.
/// </summary>
public sealed class Reranker : IDisposable, IAsyncDisposable
{
    private readonly TextContext _context;
    private readonly RankingPrompt _prompt;
    private readonly int _classes;

    private Reranker(LoadedModel model, TextContext context, ContextParameters parameters, int classes)
    {
        _context = context;
        _prompt = new RankingPrompt(model);
        _classes = classes;
        MaxTokens = Math.Min(parameters.ContextLength, context.BatchSize);
    }

    /// <summary>Ends the thread of a reranker that was not disposed.</summary>
    ~Reranker() => _context?.Close();

    /// <summary>Gets the maximum length of a query and a document together, in tokens.</summary>
    public int MaxTokens { get; }

    /// <summary>
    /// Gets the reason why the reranker can no longer be used, such as a lost device, or <see langword="null"/> if it can. Requests throw this
    /// exception; dispose the reranker and create another one.
    /// </summary>
    public InferenceException? Failure => _context.Failure;

    /// <summary>Gets the memory that the reranker and its model use on each device, as reported by llama.cpp.</summary>
    public MemoryBreakdown Memory => _context.Memory;

    /// <summary>Scores documents, several at a time. The method returns without waiting for the computation.</summary>
    /// <param name="query">The query.</param>
    /// <param name="documents">The documents. The list must not be changed before the task has completed.</param>
    /// <param name="cancellationToken">
    /// A token to cancel the operation. The task is canceled immediately; the computation stops within one step.
    /// </param>
    /// <returns>The scores, the most relevant document first. Their scale depends on the model.</returns>
    /// <exception cref="ArgumentException">A document is <see langword="null"/>, or it and the query have no tokens.</exception>
    /// <exception cref="ContextFullException">The query and a document are longer than <see cref="MaxTokens"/>.</exception>
    /// <exception cref="InferenceException">The computation failed.</exception>
    /// <exception cref="OperationCanceledException">The operation was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The reranker has been disposed.</exception>
    /// <remarks>The texts are tokenized on another thread, so errors in them are reported by the task.</remarks>
    public async Task<IReadOnlyList<DocumentScore>> RerankAsync(string query, IReadOnlyList<string> documents, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(documents);
        EmbeddingJob job = _context.Submit(
            this,
            () => documents.Sum(document => (long)query.Length + (document?.Length ?? 0)),
            () => [.. documents.Select((document, index) => new EmbeddingText(Tokenize(query, document, index), EmbeddingPooling.Cls, _classes))],
            cancellationToken);
        EmbeddingText[] texts = await _context.CompleteAsync(job).ConfigureAwait(false);
        return
        [
            .. texts.Select((text, index) => new DocumentScore(index, text.Result[0], text.Tokens.Length)).OrderByDescending(score => score.Score),
        ];
    }

    /// <summary>
    /// Ends all computations and releases the memory. If the method is called in a callback on the reranker's own thread, such as a logger,
    /// it does not wait: the memory is released after the callback has returned.
    /// </summary>
    public void Dispose()
    {
        _context.Close();
        GC.SuppressFinalize(this);
        _context.WhenDisposed().Wait();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        _context.Close();
        GC.SuppressFinalize(this);
        await _context.WhenDisposed().ConfigureAwait(false);
    }

    /// <summary>Creates a reranker, its context and its thread.</summary>
    internal static Reranker Create(LoadedModel model, ContextParameters parameters)
    {
        int classes = model.Native.ClassCount;
        return new Reranker(model, TextContext.Create(model, parameters, classes, pools: true), parameters, classes);
    }

    private int[] Tokenize(string query, string document, int index)
    {
        if (document is null)
        {
            throw new ArgumentException($"The document {index} is null.", nameof(document));
        }

        int[] tokens = _prompt.Tokenize(query, document);
        return tokens.Length switch
        {
            0 => throw new ArgumentException($"The query and the document {index} have no tokens. Specify texts that are not empty.", nameof(document)),
            int length when length > MaxTokens => throw new ContextFullException(
                $"The query and the document {index} have {length} tokens, but the reranker accepts at most {MaxTokens}. Shorten the document, or increase EmbeddingOptions.ContextLength."),
            _ => tokens,
        };
    }
}
