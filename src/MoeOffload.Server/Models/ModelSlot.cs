using MoeOffload.Catalog;

namespace MoeOffload.Server.Models;

/// <summary>Represents a model that is being loaded, is loaded, or is being unloaded. The table's lock guards its mutable state.</summary>
internal sealed class ModelSlot(CatalogEntry entry, FileStamp? stamp) : IProgress<float>
{
    private float _progress;

    public CatalogEntry Entry => entry;

    /// <summary>Gets the stamp of the file, or <see langword="null"/> if the file could not be accessed.</summary>
    public FileStamp? Stamp => stamp;

    /// <summary>Gets or sets the task that loads the model, which the first request starts and all others await.</summary>
    public Task<ServedModel> Loading { get; set; } = null!;

    /// <summary>Gets or sets the task that frees the model, or <see langword="null"/> while the model can be used.</summary>
    public Task? Freeing { get; set; }

    /// <summary>Gets or sets the number of requests that use or wait for the model.</summary>
    public int Users { get; set; }

    /// <summary>Gets or sets the timestamp at which the last request ended.</summary>
    public long IdleSince { get; set; }

    public ServedModel? Loaded => Loading.IsCompletedSuccessfully ? Loading.Result : null;

    public double Progress => Volatile.Read(ref _progress);

    public void Report(float value) => Volatile.Write(ref _progress, value);
}
