using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// A LoRA adapter of a model, in memory beside the tensors that it changes. It changes nothing until a session takes it: see
/// <see cref="ContextOptions.Adapters"/> and <see cref="GenerationSession.SetAdapters"/>. Safe to use from several threads and by
/// several sessions at once.
/// </summary>
public sealed class LoraAdapter : IDisposable, IAsyncDisposable
{
    internal LoraAdapter(LoadedModel model, string path, string name, IReadOnlyList<string> tensors, long bytes, AdapterHandle handle)
    {
        Model = model;
        Path = path;
        Name = name;
        Tensors = tensors;
        Bytes = bytes;
        Handle = handle;
    }

    /// <summary>The model that it belongs to.</summary>
    public LoadedModel Model { get; }

    /// <summary>The file that it was loaded from.</summary>
    public string Path { get; }

    /// <summary>The adapter's own name; empty where the file has none.</summary>
    public string Name { get; }

    /// <summary>The names of the model's tensors that it changes.</summary>
    public IReadOnlyList<string> Tensors { get; }

    /// <summary>What it takes of memory, in bytes, system memory and devices together.</summary>
    public long Bytes { get; }

    internal AdapterHandle Handle { get; }

    /// <summary>Frees the adapter's memory once no session uses it any more; it can be given to none from here on.</summary>
    /// <remarks>Waits up to 30 seconds if an RPC server does not answer.</remarks>
    public void Dispose() => Handle.Dispose();

    /// <summary>Frees the adapter's memory without blocking the caller, once no session uses it any more.</summary>
    public ValueTask DisposeAsync() => new(Task.Factory.StartNew(
        Handle.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
}
