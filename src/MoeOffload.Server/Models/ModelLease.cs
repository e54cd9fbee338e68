using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>Represents the use of a loaded model, which stays loaded until this is disposed.</summary>
public sealed class ModelLease : IDisposable
{
    private readonly LoadedModel _loaded;
    private Action? _release;

    internal ModelLease(string name, LoadedModel loaded, Action release)
    {
        Name = name;
        _loaded = loaded;
        _release = release;
    }

    /// <summary>Gets the model's name in the catalog.</summary>
    public string Name { get; }

    /// <summary>Gets the model.</summary>
    public MoeModel Model => _loaded.Model;

    /// <summary>Gets whether the model can continue texts. Encoders cannot: they only embed them.</summary>
    public bool CanGenerate => _loaded.Session is not null;

    /// <summary>Gets the session that all requests of the model share.</summary>
    /// <exception cref="NotSupportedException">The model cannot continue a text.</exception>
    public GenerationSession Session => _loaded.Session
        ?? throw new NotSupportedException($"The model '{Name}' ({Model.Info.Architecture}) only makes embeddings: use it for those, or use another model.");

    /// <summary>Gets what turns texts into embeddings, creating it if nobody has asked for it yet.</summary>
    /// <param name="cancellationToken">Ends the wait; the creation continues for others.</param>
    /// <exception cref="ModelMemoryException">It does not fit the memory limit.</exception>
    /// <exception cref="NotSupportedException">The model cannot embed texts.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken = default) => _loaded.GetEmbedderAsync(cancellationToken);

    /// <summary>Ends the use.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
