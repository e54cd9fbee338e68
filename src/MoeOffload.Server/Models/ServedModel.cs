using MoeOffload.Embeddings;
using MoeOffload.Shared;

namespace MoeOffload.Server.Models;

/// <summary>Represents a model in memory, with its contexts.</summary>
/// <param name="model">The model.</param>
/// <param name="session">The session that generates text, or <see langword="null"/> if the model cannot.</param>
/// <param name="companions">What was loaded together with the model, and is freed with it.</param>
/// <param name="makeEmbedder">Creates the embedder when it is first needed.</param>
/// <param name="makeReranker">Creates the reranker when it is first needed.</param>
internal sealed class ServedModel(
    MoeModel model, GenerationSession? session, LoadedCompanions companions, Func<MoeModel, Task<Embedder>> makeEmbedder, Func<MoeModel, Task<Reranker>> makeReranker) : IAsyncDisposable
{
    private readonly SharedSession? _session = session is null ? null : new SharedSession(session);
    private readonly LazyContext<Embedder> _embedder = new(() => makeEmbedder(model));
    private readonly LazyContext<Reranker> _reranker = new(() => makeReranker(model));

    public MoeModel Model => model;

    /// <summary>Gets the session that generates text, or <see langword="null"/> if the model cannot.</summary>
    public GenerationSession? Session => _session?.Current;

    /// <summary>Gets what was loaded together with the model.</summary>
    public LoadedCompanions Companions => companions;

    /// <summary>Gets the sessions that requests share, or <see langword="null"/> if the model cannot generate text.</summary>
    public SharedSession? Sessions => _session;

    /// <summary>Gets the memory that the weights and the contexts use on each device.</summary>
    public IReadOnlyList<MemoryUse> Memory
    {
        get
        {
            IEnumerable<MemoryBreakdown> contexts = (_session?.All ?? []).Select(used => used.Memory);
            contexts = _embedder.Value is { } embedder ? contexts.Append(embedder.Memory) : contexts;
            contexts = _reranker.Value is { } reranker ? contexts.Append(reranker.Memory) : contexts;

            // Each context reports the weights, which they share.
            return
            [
                .. contexts.SelectMany((context, index) => index == 0
                    ? context.Devices
                    : context.Devices.Select(use => use with { WeightBytes = 0 }).Where(use => use.TotalBytes > 0)),
            ];
        }
    }

    /// <summary>Gets the memory that the model and its contexts use, in bytes, over all devices and system memory.</summary>
    public long MemoryBytes => Memory is { Count: > 0 } uses ? uses.Sum(use => use.TotalBytes) : model.Placement.Bytes;

    /// <inheritdoc cref="LazyContext{T}.GetAsync"/>
    public Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken) => _embedder.GetAsync(cancellationToken);

    /// <inheritdoc cref="LazyContext{T}.GetAsync"/>
    public Task<Reranker> GetRerankerAsync(CancellationToken cancellationToken) => _reranker.GetAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_session is not null)
        {
            await _session.DisposeAsync().ConfigureAwait(false);
        }

        await _embedder.DisposeAsync().ConfigureAwait(false);
        await _reranker.DisposeAsync().ConfigureAwait(false);
        companions.Dispose();
        model.Dispose();
    }
}
