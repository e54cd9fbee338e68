using MoeOffload.Embeddings;

namespace MoeOffload.Server.Models;

/// <summary>Represents a model in memory, with its contexts.</summary>
internal sealed class ServedModel(MoeModel model, GenerationSession? session, Func<MoeModel, Task<Embedder>> makeEmbedder) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private Task<Embedder>? _embedder;

    public MoeModel Model => model;

    /// <summary>Gets the session that generates text, or <see langword="null"/> if the model cannot.</summary>
    public GenerationSession? Session => session;

    /// <summary>Gets the embedder, or <see langword="null"/> if it was not requested or is not ready yet.</summary>
    public Embedder? Embedder => _embedder is { IsCompletedSuccessfully: true } made ? made.Result : null;

    /// <summary>Gets the memory that the weights and the contexts use on each device.</summary>
    public IReadOnlyList<MemoryUse> Memory
    {
        get
        {
            IReadOnlyList<MemoryUse> generating = session?.Memory.Devices ?? [];
            IReadOnlyList<MemoryUse> embedding = Embedder?.Memory.Devices ?? [];
            return session is null
                ? embedding
                :
                [
                    .. generating,
                    .. embedding.Select(use => use with { WeightBytes = 0 }).Where(use => use.TotalBytes > 0),
                ];
        }
    }

    /// <summary>Gets the memory that the model and its contexts use, in bytes, over all devices and system memory.</summary>
    public long MemoryBytes => session is null && Embedder is null ? model.Placement.Bytes : Memory.Sum(use => use.TotalBytes);

    public Task<Embedder> GetEmbedderAsync(CancellationToken cancellationToken)
    {
        Task<Embedder> made;
        lock (_gate)
        {
            // If the creation failed before, it is tried again, because there may be enough memory now.
            made = _embedder is null or { IsFaulted: true } ? _embedder = makeEmbedder(model) : _embedder;
        }

        return made.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (session is not null)
        {
            await session.DisposeAsync().ConfigureAwait(false);
        }

        if (_embedder is { } made)
        {
            await ((Task)made).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Embedder is { } embedder)
            {
                await embedder.DisposeAsync().ConfigureAwait(false);
            }
        }

        model.Dispose();
    }
}
