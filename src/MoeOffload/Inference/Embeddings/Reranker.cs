using Microsoft.Extensions.Logging;
using MoeOffload.Inference;
using MoeOffload.Inference.Embeddings;
using MoeOffload.Inference.Running;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Embeddings;

/// <summary>
/// Orders documents by their relevance to a query, with a model that was trained for it. Instances are thread-safe: the documents of several
/// callers are computed together, in the order of their arrival.
/// </summary>
public sealed class Reranker : IDisposable, IAsyncDisposable
{
    private readonly LoadedModel _model;
    private readonly EmbeddingWorker _worker;
    private readonly RankingPrompt _prompt;
    private readonly ILogger _logger;
    private readonly int _classes;
    private bool _isDisposed;

    private Reranker(LoadedModel model, EmbeddingWorker worker, NativeContext context, ContextParameters parameters, int classes)
    {
        _model = model;
        _worker = worker;
        _prompt = new RankingPrompt(model);
        _logger = model.NativeLogger;
        _classes = classes;
        MaxTokens = Math.Min(parameters.ContextLength, Math.Min(context.BatchSize, context.MicroBatchSize));
        Memory = new MemoryBreakdown(context.ReadUses(), context.ContextLength);
    }

    /// <summary>Ends the thread of a reranker that was not disposed.</summary>
    ~Reranker() => _worker?.Stop();

    /// <summary>Gets the maximum length of a query and a document together, in tokens.</summary>
    public int MaxTokens { get; }

    /// <summary>Gets the memory that the reranker and its model use on each device, as reported by llama.cpp.</summary>
    public MemoryBreakdown Memory { get; }

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
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        cancellationToken.ThrowIfCancellationRequested();
        var job = new EmbeddingJob(
            this, () => documents.Sum(document => (long)query.Length + (document?.Length ?? 0)), () => Prepare(query, documents), _worker.Wake);
        _worker.Submit(job);
        using (cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                job.Cancel(token);
                _worker.OnCancelled();
            },
            state: null))
        {
            await job.Completion.ConfigureAwait(false);
        }

        return
        [
            .. job.Texts.Select((text, index) => new DocumentScore(index, text.Result[0], text.Tokens.Length)).OrderByDescending(score => score.Score),
        ];
    }

    /// <summary>
    /// Ends all computations and releases the memory. If the method is called in a callback on the reranker's own thread, such as a logger,
    /// it does not wait: the memory is released after the callback has returned.
    /// </summary>
    public void Dispose()
    {
        Close();
        GC.SuppressFinalize(this);
        _worker.WhenDisposed().Wait();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Close();
        GC.SuppressFinalize(this);
        await _worker.WhenDisposed().ConfigureAwait(false);
    }

    /// <summary>Creates a reranker, its context and its thread.</summary>
    internal static Reranker Create(LoadedModel model, ContextParameters parameters)
    {
        ILogger logger = model.NativeLogger;
        ContextSettings settings = parameters.ToSettings();
        ModelHandle handle = model.Native.Handle;
        var adapters = new SessionAdapters(model.CheckAdapters(parameters.Adapters));
        NativeContext context = adapters.MakeContext(handle, settings, logger);
        int classes = model.Native.ClassCount;
        EmbeddingWorker worker = new(
            () => NativeContext.Create(handle, settings, logger, adapters.Slot),
            context,
            parameters.SequenceCount,
            classes,
            handle,
            logger,
            pools: true,
            threads: ThreadControl.For(parameters));
        adapters.ReleaseAfter(worker.Ended);
        try
        {
            return new Reranker(model, worker, context, parameters, classes);
        }
        catch
        {
            worker.Stop();
            throw;
        }
    }

    private EmbeddingText[] Prepare(string query, IReadOnlyList<string> documents)
    {
        // The reranker and the model could be disposed in the meantime.
        using HandleUse use = new(_model.Native.Handle);
        using NativeLog.Scope log = NativeLog.Enter(_logger);
        return [.. documents.Select((document, index) => new EmbeddingText(Tokenize(query, document, index), EmbeddingPooling.Cls, _classes))];
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

    private void Close()
    {
        Volatile.Write(ref _isDisposed, true);
        _worker.Stop();
    }
}
