using MoeOffload.Catalog;

namespace MoeOffload.Server;

/// <summary>Represents a model that is in memory, on its way there, or on its way out. The table's lock guards what changes.</summary>
internal sealed class ModelSlot(CatalogEntry entry, FileStamp? stamp) : IProgress<float>
{
    private float _progress;

    public CatalogEntry Entry => entry;

    /// <summary>Gets which file is loaded; null if it could not be seen.</summary>
    public FileStamp? Stamp => stamp;

    /// <summary>Gets or sets the load, which the first request starts and all others await.</summary>
    public Task<LoadedModel> Loading { get; set; } = null!;

    /// <summary>Gets or sets the end of the model's memory; null as long as it may be used.</summary>
    public Task? Freeing { get; set; }

    /// <summary>Gets or sets how many requests use the model, or wait for it.</summary>
    public int Users { get; set; }

    /// <summary>Gets or sets when the last user left, as a timestamp.</summary>
    public long IdleSince { get; set; }

    public LoadedModel? Loaded => Loading.IsCompletedSuccessfully ? Loading.Result : null;

    public double Progress => Volatile.Read(ref _progress);

    public void Report(float value) => Volatile.Write(ref _progress, value);
}
