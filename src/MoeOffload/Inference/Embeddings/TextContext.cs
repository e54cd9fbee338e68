using Microsoft.Extensions.Logging;
using MoeOffload.Diagnostics;
using MoeOffload.Inference.Running;
using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Telemetry;

namespace MoeOffload.Inference.Embeddings;

/// <summary>Represents the context of an embedder or a reranker, which computes whole texts on a thread of its own.</summary>
internal sealed class TextContext : IMeasuredContext
{
    private readonly LoadedModel _model;
    private readonly EmbeddingWorker _worker;
    private readonly ILogger _logger;
    private readonly OperationTelemetry _telemetry;
    private bool _isClosed;

    private TextContext(LoadedModel model, EmbeddingWorker worker, NativeContext context, string operation)
    {
        _model = model;
        _worker = worker;
        _logger = model.NativeLogger;
        BatchSize = Math.Min(context.BatchSize, context.MicroBatchSize);
        HasMemory = context.HasMemory;
        Memory = new MemoryBreakdown(context.ReadUses(), context.ContextLength);
        _telemetry = new OperationTelemetry(operation, model.Id);
        LiveState.Contexts.Add(this);
    }

    /// <summary>Gets the maximum number of tokens that are computed together.</summary>
    public int BatchSize { get; }

    /// <summary>Gets a value that indicates whether the context has a KV cache, so that a text can be computed in parts.</summary>
    public bool HasMemory { get; }

    /// <summary>Gets the memory that the context and its model use on each device.</summary>
    public MemoryBreakdown Memory { get; }

    /// <inheritdoc cref="Running.ContextRunner.Failure"/>
    public InferenceException? Failure => _worker.Failure;

    /// <inheritdoc/>
    string IMeasuredContext.ModelId => _model.Id;

    /// <inheritdoc/>
    SessionStatistics? IMeasuredContext.Statistics => null;

    /// <inheritdoc/>
    ExpertActivity? IMeasuredContext.ExpertActivity => null;

    /// <summary>Creates a context and its thread.</summary>
    /// <param name="model">The model.</param>
    /// <param name="parameters">The parameters of the context.</param>
    /// <param name="dimension">The number of values of a result.</param>
    /// <param name="pools">Whether the context computes one result for each text, instead of an embedding for each token.</param>
    public static TextContext Create(LoadedModel model, ContextParameters parameters, int dimension, bool pools)
    {
        ILogger logger = model.NativeLogger;
        ContextSettings settings = parameters.ToSettings();
        ModelHandle handle = model.Native.Handle;
        var adapters = new SessionAdapters(model.CheckAdapters(parameters.Adapters));
        NativeContext context = adapters.MakeContext(handle, settings, logger);
        EmbeddingWorker worker = new(
            () => NativeContext.Create(handle, settings, logger, adapters.Slot),
            context,
            parameters.SequenceCount,
            dimension,
            handle,
            logger,
            pools,
            threads: ThreadControl.For(parameters));
        adapters.ReleaseAfter(worker.Ended);
        try
        {
            return new TextContext(model, worker, context, pools ? OperationTelemetry.Rerank : OperationTelemetry.Embeddings);
        }
        catch
        {
            worker.Stop();
            throw;
        }
    }

    /// <summary>Starts to compute texts.</summary>
    /// <param name="owner">The embedder or reranker, which must not be finalized while a caller waits for the job.</param>
    /// <param name="measureLength">A function that returns the total length of the texts, in characters or tokens.</param>
    /// <param name="tokenize">A function that tokenizes the texts, on another thread.</param>
    /// <param name="cancellationToken">A token to cancel the job.</param>
    /// <exception cref="InferenceException">The context was lost and could not be created again.</exception>
    /// <exception cref="ObjectDisposedException">The owner has been disposed.</exception>
    public EmbeddingJob Submit(object owner, Func<long> measureLength, Func<EmbeddingText[]> tokenize, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed), owner);
        var job = new EmbeddingJob(owner, measureLength, Prepare, _worker.Wake) { Activity = _telemetry.Start() };
        if (cancellationToken.IsCancellationRequested)
        {
            job.Cancel(cancellationToken);
        }
        else
        {
            Start(job, cancellationToken);
        }

        return job;

        EmbeddingText[] Prepare()
        {
            // The owner and the model could be disposed in the meantime.
            using HandleUse use = new(_model.Native.Handle);
            using NativeLog.Scope log = NativeLog.Enter(_logger);
            return tokenize();
        }
    }

    /// <summary>Waits until a job has ended, and records it.</summary>
    /// <returns>The texts.</returns>
    public async Task<EmbeddingText[]> CompleteAsync(EmbeddingJob job)
    {
        try
        {
            await job.Completion.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _telemetry.End(job.Activity, job.StartTimestamp, tokens: 0, failure);
            throw;
        }

        _telemetry.End(job.Activity, job.StartTimestamp, job.Texts.Sum(text => text.Tokens.Length), failure: null);
        return job.Texts;
    }

    /// <summary>Ends all computations and refuses further ones, without waiting for the thread.</summary>
    public void Close()
    {
        Volatile.Write(ref _isClosed, true);
        LiveState.Contexts.Remove(this);
        _worker.Stop();
    }

    /// <inheritdoc cref="ContextRunner.WhenDisposed"/>
    public Task WhenDisposed() => _worker.WhenDisposed();

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
}
