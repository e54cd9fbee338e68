using Microsoft.Extensions.AI;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MoeOffload.Catalog;
using MoeOffload.Embeddings;
using MoeOffload.Hosting.Models;
using MoeOffload.Hosting.Settings;

namespace MoeOffload.Hosting;

/// <summary>
/// Represents a model that the host loads, uses and unloads. It can be injected before the model is loaded, and its methods wait until it is.
/// This type is thread-safe.
/// </summary>
public sealed class HostedModel : IDisposable, IAsyncDisposable
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly HostedModelOptions _options;
    private readonly ModelFiles _files;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _stopping;

    // Protected by the gate.
    private Task<ModelParts>? _load;
    private Task? _unload;
    private HostedModelState _state;
    private Exception? _error;

    private float _progress;

    internal HostedModel(HostedModelOptions options, ModelFiles files, ILoggerFactory loggers, TimeProvider time, IHostApplicationLifetime? lifetime)
    {
        _options = options;
        _files = files;
        _loggers = loggers;
        _logger = loggers.CreateLogger<HostedModel>();
        _time = time;
        Id = ModelFiles.IdOf(options);
        ChatClient = new HostedChatClient(this);
        EmbeddingGenerator = new HostedEmbeddingGenerator(this);
        _stopping = lifetime?.ApplicationStopping.Register(CancelLoad) ?? default;
    }

    /// <summary>Gets the id of the model, which responses and metadata of its clients contain.</summary>
    public string Id { get; }

    /// <summary>Gets a value that specifies when the model is loaded.</summary>
    public ModelLoading Loading => _options.Loading;

    /// <summary>Gets the state of the model.</summary>
    public HostedModelState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Gets the progress of the load, from 0 to 1.</summary>
    public float Progress => Volatile.Read(ref _progress);

    /// <summary>Gets the exception because of which the model could not be loaded, or <see langword="null"/> if the last load did not fail.</summary>
    public Exception? Error
    {
        get
        {
            lock (_gate)
            {
                return _error;
            }
        }
    }

    /// <summary>
    /// Gets a chat client whose requests wait until the model is loaded. Disposing it has no effect. If the options request no session, its
    /// requests throw an <see cref="InvalidOperationException"/>.
    /// </summary>
    public IChatClient ChatClient { get; }

    /// <summary>
    /// Gets an embedding generator whose requests wait until the model is loaded. Disposing it has no effect. If the options request no
    /// embedder, its requests throw an <see cref="InvalidOperationException"/>.
    /// </summary>
    public IEmbeddingGenerator<string, Embedding<float>> EmbeddingGenerator { get; }

    /// <summary>Returns the model when it is loaded. If it is neither loaded nor being loaded, this loads it.</summary>
    /// <param name="cancellationToken">A token that cancels the wait. The load continues, because others can wait for it.</param>
    /// <returns>The model, which the host disposes.</returns>
    /// <exception cref="InvalidOperationException">The host is stopping.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled, or the host stopped during the load.</exception>
    /// <inheritdoc cref="MoeModel.LoadAsync" path="/exception[not(@cref='T:System.OperationCanceledException')]"/>
    public async Task<MoeModel> GetModelAsync(CancellationToken cancellationToken = default) =>
        (await GetPartsAsync(cancellationToken).ConfigureAwait(false)).Model;

    /// <summary>Returns the session when the model is loaded.</summary>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The session, which the host disposes.</returns>
    /// <exception cref="InvalidOperationException">The options request no session, or the host is stopping.</exception>
    /// <inheritdoc cref="GetModelAsync" path="/exception[not(@cref='T:System.InvalidOperationException')]"/>
    public async Task<GenerationSession> GetSessionAsync(CancellationToken cancellationToken = default) =>
        _options.Context is null
            ? throw NoSession()
            : (await GetPartsAsync(cancellationToken).ConfigureAwait(false)).Session!;

    /// <summary>Returns the embedder when the model is loaded.</summary>
    /// <param name="cancellationToken">A token that cancels the wait.</param>
    /// <returns>The embedder, which the host disposes.</returns>
    /// <exception cref="InvalidOperationException">The options request no embedder, or the host is stopping.</exception>
    /// <inheritdoc cref="GetModelAsync" path="/exception[not(@cref='T:System.InvalidOperationException')]"/>
    public async Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken = default) =>
        _options.Embedding is null
            ? throw NoEmbedder()
            : (await GetPartsAsync(cancellationToken).ConfigureAwait(false)).Embedder!;

    /// <summary>Cancels a load that is running, and frees the model with everything that uses it.</summary>
    public void Dispose() => UnloadAsync().GetAwaiter().GetResult();

    /// <inheritdoc cref="Dispose"/>
    public ValueTask DisposeAsync() => new(UnloadAsync());

    /// <summary>Gets what was loaded, or <see langword="null"/> if the model is not loaded.</summary>
    internal ModelParts? Parts
    {
        get
        {
            lock (_gate)
            {
                return _state == HostedModelState.Loaded ? _load!.Result : null;
            }
        }
    }

    /// <summary>Gets a value that indicates whether requests can use embeddings.</summary>
    internal bool HasEmbedder => _options.Embedding is not null;

    /// <summary>Returns the client when the model is loaded.</summary>
    internal async Task<IChatClient> GetChatClientAsync(CancellationToken cancellationToken) =>
        _options.Context is null
            ? throw NoSession()
            : (await GetPartsAsync(cancellationToken).ConfigureAwait(false)).ChatClient!;

    /// <summary>Returns the generator when the model is loaded.</summary>
    internal async Task<IEmbeddingGenerator<string, Embedding<float>>> GetEmbeddingGeneratorAsync(CancellationToken cancellationToken) =>
        _options.Embedding is null
            ? throw NoEmbedder()
            : (await GetPartsAsync(cancellationToken).ConfigureAwait(false)).EmbeddingGenerator!;

    /// <summary>Cancels a load that is running. No other one begins.</summary>
    internal void CancelLoad()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The model has been unloaded.
        }
    }

    /// <summary>Cancels a load that is running, and frees the model. Calls after the first one wait for it.</summary>
    internal Task UnloadAsync()
    {
        lock (_gate)
        {
            // On another thread, because a caller that waits for it could be the one that the continuations need.
            Task<ModelParts>? load = _load;
            return _unload ??= Task.Run(() => UnloadOnceAsync(load), CancellationToken.None);
        }
    }

    private static InvalidOperationException NoSession() => new(
        "The model has no session, because its options request none. Remove Generation from its configuration, or set HostedModelOptions.Context.");

    private static InvalidOperationException NoEmbedder() => new(
        "The model has no embedder, because its options request none. Set Embeddings to true in its configuration, or set HostedModelOptions.Embedding.");

    private Task<ModelParts> GetPartsAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_unload is not null || (_stop.IsCancellationRequested && _state != HostedModelState.Loaded))
            {
                return Task.FromException<ModelParts>(new InvalidOperationException($"The model '{Id}' is not loaded, because the host is stopping."));
            }

            if (_load is null || _state == HostedModelState.Failed)
            {
                _state = HostedModelState.Loading;
                _error = null;
                Volatile.Write(ref _progress, 0);
                _load = Task.Run(LoadAsync, CancellationToken.None);
            }

            return _load.WaitAsync(cancellationToken);
        }
    }

    private async Task<ModelParts> LoadAsync()
    {
        long begin = _time.GetTimestamp();
        try
        {
            ModelParts parts = await LoadPartsAsync(begin).ConfigureAwait(false);
            HostingLog.Loaded(_logger, Id, _time.GetElapsedTime(begin).TotalSeconds);
            Volatile.Write(ref _progress, 1);
            End(HostedModelState.Loaded, error: null);
            return parts;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            HostingLog.Canceled(_logger, Id);
            End(HostedModelState.NotLoaded, error: null);
            throw;
        }
        catch (Exception error)
        {
            HostingLog.Failed(_logger, error, Id);
            End(HostedModelState.Failed, error);
            throw;
        }
    }

    private async Task<ModelParts> LoadPartsAsync(long begin)
    {
        CancellationToken stop = _stop.Token;
        CatalogEntry entry = _files.Find(_options, _options.Model!);
        ModelCompanions companions = _options.Companions with
        {
            Adapters = [.. _options.Companions.Adapters.Select(adapter => adapter with { Path = _files.Absolute(adapter.Path) })],
            DraftModelPath = _options.Companions.DraftModelPath is { } draft ? _files.Find(_options, draft).Path : null,
        };
        HostingLog.Loading(_logger, Id, entry.Path);
        ModelOptions load = _options.Load with
        {
            LoggerFactory = _options.Load.LoggerFactory ?? _loggers,
            Id = _options.Load.Id ?? Id,
            ProjectorPath = _options.Load.ProjectorPath is { } projector ? _files.Absolute(projector) : null,
            Placement = _options.Fit
                ? TensorPlacement.Auto(_options.FitMargin, (_options.Context ?? new ContextOptions()).ToShape()).Then(_options.Load.Placement)
                : _options.Load.Placement,
        };
        return await ModelParts.LoadAsync(entry.Path, companions, _options, load, new LoadProgress(this, begin), stop).ConfigureAwait(false);
    }

    private void End(HostedModelState state, Exception? error)
    {
        lock (_gate)
        {
            _state = state;
            _error = error;
        }
    }

    private async Task UnloadOnceAsync(Task<ModelParts>? load)
    {
        CancelLoad();
        await _stopping.DisposeAsync().ConfigureAwait(false);
        if (load is not null)
        {
            // Whoever waits for the load is told how it ended.
            await ((Task)load).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (load.IsCompletedSuccessfully)
            {
                End(HostedModelState.NotLoaded, error: null);
                await load.Result.DisposeAsync().ConfigureAwait(false);
                HostingLog.Unloaded(_logger, Id);
            }
        }

        _stop.Dispose();
    }

    /// <summary>Receives the progress of a load, and logs it from time to time.</summary>
    private sealed class LoadProgress(HostedModel model, long begin) : IProgress<float>
    {
        private long _last = begin;

        public void Report(float value)
        {
            Volatile.Write(ref model._progress, value);
            long now = model._time.GetTimestamp();
            if (model._time.GetElapsedTime(_last, now) >= s_progressInterval)
            {
                _last = now;
                HostingLog.Progress(model._logger, model.Id, (int)(value * 100));
            }
        }
    }
}
