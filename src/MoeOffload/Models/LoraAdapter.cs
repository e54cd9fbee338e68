using MoeOffload.Native;

namespace MoeOffload;

/// <summary>
/// Represents a LoRA adapter that has been loaded for a model. Sessions apply it if it is in <see cref="ContextOptions.Adapters"/> or was
/// set with <see cref="GenerationSession.SetAdapters"/>. An adapter can be used from several threads, and by several sessions, at once.
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

    /// <summary>Gets the model that the adapter was loaded for.</summary>
    public LoadedModel Model { get; }

    /// <summary>Gets the path of the file that the adapter was loaded from.</summary>
    public string Path { get; }

    /// <summary>Gets the adapter's name in the file, or an empty string if it has none.</summary>
    public string Name { get; }

    /// <summary>Gets the names of the model's tensors that the adapter changes.</summary>
    public IReadOnlyList<string> Tensors { get; }

    /// <summary>Gets the memory that the adapter takes on all devices and in system memory together, in bytes.</summary>
    public long Bytes { get; }

    internal AdapterHandle Handle { get; }

    /// <summary>Frees the adapter's memory as soon as no session uses it. No further session can use the adapter.</summary>
    /// <remarks>Waits up to 30 seconds if an RPC server does not answer.</remarks>
    public void Dispose() => Handle.Dispose();

    /// <summary>Frees the adapter's memory as soon as no session uses it, without blocking the caller.</summary>
    /// <returns>A task that completes when the adapter has been released.</returns>
    public ValueTask DisposeAsync() => new(Task.Factory.StartNew(
        Handle.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
}
