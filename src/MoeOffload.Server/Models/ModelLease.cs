using MoeOffload.Embeddings;
using MoeOffload.Server.Models;

namespace MoeOffload.Server;

/// <summary>Represents the use of a loaded model. The model stays loaded until the lease is disposed.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly ServedModel _loaded;
    private readonly GenerationSession? _session;
    private Action? _release;

    internal ModelLease(string name, ServedModel loaded, Action release)
    {
        Name = name;
        _loaded = loaded;
        _release = release;
        if (loaded.Sessions is { } sessions)
        {
            (_session, Action leave) = sessions.Enter();
            _release = leave + release;
        }
    }

    /// <summary>Gets the model's name in the catalog.</summary>
    public string Name { get; }

    /// <summary>Gets the model.</summary>
    public MoeModel Model => _loaded.Model;

    /// <summary>Gets a value that indicates whether the model can generate text. Encoder models only create embeddings.</summary>
    public bool CanGenerate => _session is not null;

    /// <summary>Gets the session that all requests of the model share.</summary>
    /// <exception cref="NotSupportedException">The model cannot generate text.</exception>
    public GenerationSession Session => _session
        ?? throw new NotSupportedException($"The model '{Name}' ({Model.Info.Architecture}) only creates embeddings. Use it for embeddings, or use another model.");

    /// <summary>Gets the embedder of the model, creating it at the first call.</summary>
    /// <param name="cancellationToken">A token to cancel the wait. The creation continues for other callers.</param>
    /// <exception cref="ModelMemoryException">The embedder does not fit into the memory limit.</exception>
    /// <exception cref="NotSupportedException">The model cannot embed texts.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken = default) => _loaded.GetEmbedderAsync(cancellationToken);

    /// <summary>Gets the reranker of the model, creating it at the first call.</summary>
    /// <param name="cancellationToken">A token to cancel the wait. The creation continues for other callers.</param>
    /// <exception cref="ModelMemoryException">The reranker does not fit into the memory limit.</exception>
    /// <exception cref="NotSupportedException">The model cannot rank documents.</exception>
    /// <exception cref="OperationCanceledException">The wait was canceled.</exception>
    public Task<Reranker> GetRerankerAsync(CancellationToken cancellationToken = default) => _loaded.GetRerankerAsync(cancellationToken);

    /// <summary>Ends the use of the model.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
