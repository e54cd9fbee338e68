using System.Text;
using Microsoft.Extensions.Logging;
using MoeOffload.Inference;
using MoeOffload.Inference.Embeddings;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Embeddings;

/// <summary>
/// Turns texts into embeddings. Safe to use from several threads: texts of several callers are computed together, in the order in which
/// they come.
/// </summary>
public sealed class Embedder : IDisposable, IAsyncDisposable
{
    private readonly LoadedModel _model;
    private readonly EmbeddingWorker _worker;
    private readonly EmbeddingOptions _options;
    private readonly ILogger _logger;
    private bool _isDisposed;

    private Embedder(
        LoadedModel model, EmbeddingWorker worker, EmbeddingOptions options, NativeContext context, ContextParameters parameters, NativeEmbeddingInfo info, ILogger logger)
    {
        _model = model;
        _worker = worker;
        _options = options;
        _logger = logger;
        Dimension = info.Length;
        Pooling = options.Pooling ?? Own(info);
        BatchSize = Math.Min(context.BatchSize, context.MicroBatchSize);
        MaxTokens = context.HasMemory ? parameters.ContextLength : Math.Min(parameters.ContextLength, BatchSize);
        Threads = parameters.PromptThreads;
        Memory = new MemoryBreakdown(context.ReadUses(), context.ContextLength);
    }

    /// <summary>Lets the thread end of an embedder that nobody disposed.</summary>
    ~Embedder() => _worker?.Stop();

    /// <summary>Floats of one embedding.</summary>
    public int Dimension { get; }

    /// <summary>How tokens are pooled; null where neither the options nor the model say.</summary>
    public EmbeddingPooling? Pooling { get; }

    /// <summary>The longest text, in tokens.</summary>
    public int MaxTokens { get; }

    /// <summary>Most tokens that are computed at once.</summary>
    public int BatchSize { get; }

    /// <summary>CPU threads that compute.</summary>
    public int Threads { get; }

    /// <summary>What each device holds for this embedder and its model, read back from llama.cpp.</summary>
    public MemoryBreakdown Memory { get; }

    /// <summary>Computes the embedding of a text. Returns at once, however long the text is.</summary>
    /// <param name="text">The text; the special tokens that the model wants are added.</param>
    /// <param name="cancellationToken">Ends the wait at once, and the computation within one step if nobody else needs it.</param>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)"/>
    public Task<TextEmbedding> EmbedAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return First(EmbedAsync([text], cancellationToken));
    }

    /// <summary>Computes the embeddings of texts, several at once. Returns at once, however long the texts are.</summary>
    /// <param name="texts">
    /// The texts; the special tokens that the model wants are added to each. The list must not change before the task has completed.
    /// </param>
    /// <param name="cancellationToken">Ends the wait at once, and the computation within one step if nobody else needs it.</param>
    /// <returns>An embedding for each text, in their order.</returns>
    /// <remarks>The texts are tokenized on another thread: the task tells what is wrong with them.</remarks>
    /// <exception cref="ArgumentException">A text is null or has no token, or a token is outside the vocabulary.</exception>
    /// <exception cref="ContextFullException">A text is longer than <see cref="MaxTokens"/>.</exception>
    /// <exception cref="InvalidOperationException">Neither the options nor the model say how to pool.</exception>
    /// <exception cref="InferenceException">The computation failed.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The embedder was disposed.</exception>
    public Task<IReadOnlyList<TextEmbedding>> EmbedAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        PooledAsync(Submit(texts, static text => text?.Length ?? 0, Tokenize, RequirePooling(), cancellationToken));

    /// <summary>Computes the embeddings of texts that are tokens already. Nothing is added to them.</summary>
    /// <param name="texts">The tokens of each text. The lists must not change before the task has completed.</param>
    /// <param name="cancellationToken">Ends the wait at once, and the computation within one step if nobody else needs it.</param>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)"/>
    public Task<IReadOnlyList<TextEmbedding>> EmbedAsync(IReadOnlyList<IReadOnlyList<int>> texts, CancellationToken cancellationToken = default) =>
        PooledAsync(Submit(texts, static tokens => tokens?.Count ?? 0, CheckTokens, RequirePooling(), cancellationToken));

    /// <summary>Computes an embedding of each token of a text.</summary>
    /// <inheritdoc cref="EmbedAsync(string, CancellationToken)"/>
    public Task<TokenEmbeddings> EmbedTokensAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return First(EmbedTokensAsync([text], cancellationToken));
    }

    /// <summary>Computes an embedding of each token of texts, several texts at once.</summary>
    /// <returns>The embeddings of each text's tokens, in the texts' order.</returns>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)"/>
    public Task<IReadOnlyList<TokenEmbeddings>> EmbedTokensAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        TokensAsync(Submit(texts, static text => text?.Length ?? 0, Tokenize, pooling: null, cancellationToken));

    /// <summary>
    /// Ends all computations and gives the memory back. In a callback on the embedder's own thread, such as a logger, it does not wait:
    /// the memory is given back once the callback has returned.
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

    /// <summary>Makes a context and its thread.</summary>
    internal static Embedder Create(LoadedModel model, EmbeddingOptions options, ContextParameters parameters, NativeEmbeddingInfo info)
    {
        ILogger logger = model.NativeLogger;
        ContextSettings settings = parameters.ToSettings();
        ModelHandle handle = model.Native.Handle;
        var adapters = new WantedAdapters(model.CheckAdapters(parameters.Adapters));
        NativeContext context = adapters.MakeContext(handle, settings, logger);
        EmbeddingWorker worker = new(
            () => NativeContext.Create(handle, settings, logger, adapters.Slot), context, parameters.SequenceCount, info.Length, handle, logger);
        adapters.ReleaseAfter(worker.Ended);
        try
        {
            return new Embedder(model, worker, options, context, parameters, info, logger);
        }
        catch
        {
            worker.Stop();
            throw;
        }
    }

    private static EmbeddingPooling? Own(NativeEmbeddingInfo info) => info.Pooling switch
    {
        NativePooling.Mean => EmbeddingPooling.Mean,
        NativePooling.Cls => EmbeddingPooling.Cls,
        NativePooling.Last => EmbeddingPooling.Last,
        _ => null,
    };

    private static async Task<T> First<T>(Task<IReadOnlyList<T>> all) => (await all.ConfigureAwait(false))[0];

    private static async Task<IReadOnlyList<TokenEmbeddings>> TokensAsync((EmbeddingJob Job, int Dimension) submitted)
    {
        await submitted.Job.Completion.ConfigureAwait(false);
        return Array.ConvertAll(submitted.Job.Texts, text => new TokenEmbeddings(text.Tokens, text.Result, submitted.Dimension));
    }

    private EmbeddingPooling RequirePooling() => Pooling ?? throw new InvalidOperationException(
        $"'{_model.Path}' does not say how its tokens are pooled into one embedding: set EmbeddingOptions.Pooling, or call EmbedTokensAsync.");

    private async Task<IReadOnlyList<TextEmbedding>> PooledAsync((EmbeddingJob Job, int Dimension) submitted)
    {
        await submitted.Job.Completion.ConfigureAwait(false);
        return Array.ConvertAll(submitted.Job.Texts, text =>
        {
            if (_options.Normalize)
            {
                text.Normalize();
            }

            return new TextEmbedding(text.Result, text.Tokens.Length);
        });
    }

    private (EmbeddingJob Job, int Dimension) Submit<T>(
        IReadOnlyList<T> texts, Func<T, int> measure, Func<T, int[]> tokenize, EmbeddingPooling? pooling, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
        var job = new EmbeddingJob(this, () => texts.Sum(text => (long)measure(text)), () => Prepare(texts, tokenize, pooling), _worker.Wake);
        if (cancellationToken.IsCancellationRequested)
        {
            job.Cancel(cancellationToken);
        }
        else
        {
            Start(job, cancellationToken);
        }

        return (job, Dimension);
    }

    private EmbeddingText[] Prepare<T>(IReadOnlyList<T> texts, Func<T, int[]> tokenize, EmbeddingPooling? pooling)
    {
        // The embedder may be disposed meanwhile, and the model with it.
        using ModelHandle.Use use = _model.Native.Handle.Hold();
        using NativeLog.Scope log = NativeLog.Enter(_logger);
        return [.. texts.Select(text => new EmbeddingText(Check(tokenize(text)), pooling, Dimension))];
    }

    private void Start(EmbeddingJob job, CancellationToken cancellationToken)
    {
        _worker.Submit(job);
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                job.Cancel(token);
                _worker.OnCancelled();
            },
            state: null);
        if (cancellationToken.CanBeCanceled)
        {
            job.Completion.ContinueWith(
                _ => registration.Unregister(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private int[] Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _model.Native.Vocabulary.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: true, _options.ParseSpecialTokens);
    }

    private int[] CheckTokens(IReadOnlyList<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        int size = _model.Native.Vocabulary.Size;
        int[] copy = [.. tokens];
        int wrong = Array.FindIndex(copy, token => token < 0 || token >= size);
        return wrong < 0
            ? copy
            : throw new ArgumentException($"Token {copy[wrong]} at position {wrong} of a text is outside the vocabulary of {size} tokens.", nameof(tokens));
    }

    private int[] Check(int[] tokens) => tokens.Length switch
    {
        0 => throw new ArgumentException("A text has no token: give it some text.", nameof(tokens)),
        int length when length > MaxTokens => throw new ContextFullException(
            $"A text has {length} tokens, the embedder takes {MaxTokens}: shorten it, or set EmbeddingOptions.ContextLength higher."),
        _ => tokens,
    };

    private void Close()
    {
        Volatile.Write(ref _isDisposed, true);
        _worker.Stop();
    }
}
