using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>A model that is in memory, or on its way there. What changes is guarded by the host's lock.</summary>
internal sealed class ModelSlot(CatalogEntry entry) : IProgress<float>
{
    private float _progress;

    public CatalogEntry Entry => entry;

    /// <summary>The load, which the first request begins and all wait for.</summary>
    public Task<LoadedModel> Loading { get; set; } = null!;

    /// <summary>Requests that use the model or wait for it.</summary>
    public int Users { get; set; }

    /// <summary>When the last user left, as a timestamp.</summary>
    public long IdleSince { get; set; }

    public LoadedModel? Loaded => Loading.IsCompletedSuccessfully ? Loading.Result : null;

    public double Progress => Volatile.Read(ref _progress);

    public void Report(float value) => Volatile.Write(ref _progress, value);
}
