using MoeOffload.Embeddings;

namespace MoeOffload.Server;

/// <summary>The use of a loaded model: it stays loaded until this is disposed.</summary>
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

    /// <summary>The model's name in the catalog.</summary>
    public string Name { get; }

    /// <summary>The model.</summary>
    public MoeModel Model => _loaded.Model;

    /// <summary>Whether it can continue texts; encoders only embed them.</summary>
    public bool CanGenerate => _loaded.Session is not null;

    /// <summary>The session in which all its requests run together.</summary>
    /// <exception cref="ApiException">The model cannot continue a text.</exception>
    public GenerationSession Session => _loaded.Session ?? throw ApiException.Invalid(
        $"The model '{Name}' ({Model.Info.Architecture}) only makes embeddings: use /v1/embeddings, or another model.", "model", "unsupported_model");

    /// <summary>What turns texts into embeddings, made when it is first asked for.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ApiException">It cannot be made, or does not fit the memory limit.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken = default) => _loaded.GetEmbedderAsync(cancellationToken);

    /// <summary>Ends the use.</summary>
    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
