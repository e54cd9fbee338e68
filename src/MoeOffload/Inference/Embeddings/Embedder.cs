using System.Text;
using MoeOffload.Inference;
using MoeOffload.Inference.Embeddings;
using MoeOffload.Native;

namespace MoeOffload.Embeddings;

/// <summary>
/// Computes embeddings of texts. Instances are thread-safe: the texts of several callers are computed together, in the order of their
/// arrival.
/// </summary>
public sealed class Embedder : IDisposable, IAsyncDisposable
{
    private readonly LoadedModel _model;
    private readonly TextContext _context;
    private readonly EmbeddingOptions _options;

    private Embedder(LoadedModel model, TextContext context, EmbeddingOptions options, ContextParameters parameters, NativeEmbeddingInfo info)
    {
        _model = model;
        _context = context;
        _options = options;
        Dimension = info.Length;
        Pooling = options.Pooling ?? Own(info);
        MaxTokens = context.HasMemory ? parameters.ContextLength : Math.Min(parameters.ContextLength, BatchSize);
        Threads = parameters.PromptThreads;
    }

    /// <summary>Ends the thread of an embedder that was not disposed.</summary>
    ~Embedder() => _context?.Close();

    /// <summary>Gets the number of dimensions of an embedding.</summary>
    public int Dimension { get; }

    /// <summary>Gets the pooling, or <see langword="null"/> if neither the options nor the model specify one.</summary>
    public EmbeddingPooling? Pooling { get; }

    /// <summary>Gets the maximum length of a text, in tokens.</summary>
    public int MaxTokens { get; }

    /// <summary>Gets the maximum number of tokens that are computed together.</summary>
    public int BatchSize => _context.BatchSize;

    /// <summary>Gets the maximum number of CPU threads that compute. Fewer do while that is faster, unless the options set a number.</summary>
    public int Threads { get; }

    /// <summary>
    /// Gets the reason why the embedder can no longer be used, such as a lost device, or <see langword="null"/> if it can. Requests throw this
    /// exception; dispose the embedder and create another one.
    /// </summary>
    public InferenceException? Failure => _context.Failure;

    /// <summary>Gets the memory that the embedder and its model use on each device, as reported by llama.cpp.</summary>
    public MemoryBreakdown Memory => _context.Memory;

    /// <summary>Computes the embedding of a text. The method returns without waiting for the computation.</summary>
    /// <param name="text">The text. The special tokens that the model requires are added to it.</param>
    /// <param name="cancellationToken">
    /// A token to cancel the operation. The task is canceled immediately; the computation stops within one step.
    /// </param>
    /// <returns>The embedding.</returns>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/remarks"/>
    public Task<TextEmbedding> EmbedAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return First(EmbedAsync([text], cancellationToken));
    }

    /// <summary>Computes the embeddings of texts, several at a time. The method returns without waiting for the computation.</summary>
    /// <param name="texts">
    /// The texts. The special tokens that the model requires are added to each of them. The list must not be changed before the task has
    /// completed.
    /// </param>
    /// <param name="cancellationToken">
    /// A token to cancel the operation. The task is canceled immediately; the computation stops within one step.
    /// </param>
    /// <returns>The embeddings, in the order of the texts.</returns>
    /// <exception cref="ArgumentException">A text is <see langword="null"/> or has no tokens, or a token is not in the vocabulary.</exception>
    /// <exception cref="ContextFullException">A text is longer than <see cref="MaxTokens"/>.</exception>
    /// <exception cref="InvalidOperationException">Neither the options nor the model specify a pooling.</exception>
    /// <exception cref="InferenceException">The computation failed.</exception>
    /// <exception cref="OperationCanceledException">The operation was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The embedder has been disposed.</exception>
    /// <remarks>The texts are tokenized on another thread, so errors in them are reported by the task.</remarks>
    public Task<IReadOnlyList<TextEmbedding>> EmbedAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        PooledAsync(Submit(texts, static text => text?.Length ?? 0, Tokenize, RequirePooling(), cancellationToken));

    /// <summary>Computes the embeddings of tokenized texts. No special tokens are added.</summary>
    /// <param name="texts">The token ids of each text. The lists must not be changed before the task has completed.</param>
    /// <param name="cancellationToken">
    /// A token to cancel the operation. The task is canceled immediately; the computation stops within one step.
    /// </param>
    /// <returns>The embeddings, in the order of the texts.</returns>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/remarks"/>
    public Task<IReadOnlyList<TextEmbedding>> EmbedAsync(IReadOnlyList<IReadOnlyList<int>> texts, CancellationToken cancellationToken = default) =>
        PooledAsync(Submit(texts, static tokens => tokens?.Count ?? 0, CheckTokens, RequirePooling(), cancellationToken));

    /// <summary>Computes the embedding of each token of a text.</summary>
    /// <inheritdoc cref="EmbedAsync(string, CancellationToken)" path="/param"/>
    /// <returns>The token embeddings.</returns>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/remarks"/>
    public Task<TokenEmbeddings> EmbedTokensAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return First(EmbedTokensAsync([text], cancellationToken));
    }

    /// <summary>Computes the embedding of each token of several texts.</summary>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/param"/>
    /// <returns>The token embeddings, in the order of the texts.</returns>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/exception"/>
    /// <inheritdoc cref="EmbedAsync(IReadOnlyList{string}, CancellationToken)" path="/remarks"/>
    public Task<IReadOnlyList<TokenEmbeddings>> EmbedTokensAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken = default) =>
        TokensAsync(Submit(texts, static text => text?.Length ?? 0, Tokenize, pooling: null, cancellationToken));

    /// <summary>
    /// Ends all computations and releases the memory. If the method is called in a callback on the embedder's own thread, such as a logger,
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

    /// <summary>Creates an embedder, its context and its thread.</summary>
    internal static Embedder Create(LoadedModel model, EmbeddingOptions options, ContextParameters parameters, NativeEmbeddingInfo info) =>
        new(model, TextContext.Create(model, parameters, info.Length, pools: false), options, parameters, info);

    private static EmbeddingPooling? Own(NativeEmbeddingInfo info) => info.Pooling switch
    {
        NativePooling.Mean => EmbeddingPooling.Mean,
        NativePooling.Cls => EmbeddingPooling.Cls,
        NativePooling.Last => EmbeddingPooling.Last,
        _ => null,
    };

    private static async Task<T> First<T>(Task<IReadOnlyList<T>> all) => (await all.ConfigureAwait(false))[0];

    private async Task<IReadOnlyList<TokenEmbeddings>> TokensAsync((EmbeddingJob Job, int Dimension) submitted)
    {
        EmbeddingText[] texts = await _context.CompleteAsync(submitted.Job).ConfigureAwait(false);
        return Array.ConvertAll(texts, text => new TokenEmbeddings(text.Tokens, text.Result, submitted.Dimension));
    }

    private EmbeddingPooling RequirePooling() => Pooling ?? throw new InvalidOperationException(
        $"'{_model.Path}' does not specify a pooling. Set EmbeddingOptions.Pooling, or call EmbedTokensAsync.");

    private async Task<IReadOnlyList<TextEmbedding>> PooledAsync((EmbeddingJob Job, int Dimension) submitted)
    {
        EmbeddingText[] texts = await _context.CompleteAsync(submitted.Job).ConfigureAwait(false);
        return Array.ConvertAll(texts, text =>
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
        EmbeddingJob job = _context.Submit(
            this,
            () => texts.Sum(text => (long)measure(text)),
            () => [.. texts.Select(text => new EmbeddingText(Check(tokenize(text)), pooling, Dimension))],
            cancellationToken);
        return (job, Dimension);
    }

    private int[] Tokenize(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _model.Native.Vocabulary.Tokenize(Encoding.UTF8.GetBytes(text), addSpecial: true, _options.ParseSpecialTokens);
    }

    private int[] CheckTokens(IReadOnlyList<int> tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return TokenCheck.Copy(tokens, _model.Native.Vocabulary.Size, nameof(tokens));
    }

    private int[] Check(int[] tokens) => tokens.Length switch
    {
        0 => throw new ArgumentException("A text has no tokens. Specify a text that is not empty.", nameof(tokens)),
        int length when length > MaxTokens => throw new ContextFullException(
            $"A text has {length} tokens, but the embedder accepts at most {MaxTokens}. Shorten the text, or increase EmbeddingOptions.ContextLength."),
        _ => tokens,
    };
}
