using Microsoft.Extensions.Logging;
using MoeOffload.Native;

namespace MoeOffload.Models;

/// <summary>
/// Represents the projector of a model. It encodes one image at a time, on a thread of its own, so that no caller and no other request waits for
/// an image.
/// </summary>
internal sealed class Projector : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<Action> _waiting = new();
    private bool _isRunning;

    private Projector(string path, NativeProjector native, IReadOnlyList<MemoryUse> memory) => (Path, Native, Memory) = (path, native, memory);

    /// <summary>Gets the path of the file.</summary>
    public string Path { get; }

    /// <summary>Gets the native projector.</summary>
    public NativeProjector Native { get; }

    /// <summary>Gets the memory that it takes.</summary>
    public IReadOnlyList<MemoryUse> Memory { get; }

    /// <summary>Gets the numbers of images.</summary>
    public ImageNumbers Numbers { get; } = new();

    /// <summary>Creates the settings of a projector.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">The options of the model.</param>
    /// <param name="devices">The devices that hold layers of the model.</param>
    /// <param name="threads">The number of threads on the CPU.</param>
    public static ProjectorSettings Configure(string path, ModelOptions options, IReadOnlyList<NativeDevice> devices, int threads)
    {
        NativeDevice[] local = [.. devices.Where(device => device.Kind is NativeDeviceKind.Gpu or NativeDeviceKind.IntegratedGpu)];
        return new ProjectorSettings(path, options.ProjectorOnDevice && local.Length > 0 ? local[0] : null, threads, options.MaxImageTokens ?? 0);
    }

    /// <summary>Reads the memory that a projector takes, without loading it.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the projector.</exception>
    public static IReadOnlyList<MemoryUse> ReadMemory(ProjectorSettings settings, ILogger logger) =>
    [
        .. NativeProjector.ReadMemory(settings, logger).Select(use => new MemoryUse(use.BufferType, use.Device, use.IsHost, use.Weights, use.Context, use.Compute)),
    ];

    /// <summary>Loads a projector.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the projector, or there is not enough memory.</exception>
    public static Projector Load(NativeModel model, ProjectorSettings settings, ILogger logger)
    {
        IReadOnlyList<MemoryUse> memory = ReadMemory(settings, logger);
        NativeProjector native = NativeProjector.Load(model.Handle, settings, logger);
        if (native.HasVision)
        {
            return new Projector(settings.Path, native, memory);
        }

        native.Dispose();
        throw new ModelLoadException($"The projector '{settings.Path}' does not take images.");
    }

    /// <summary>Adds work for the projector's thread. The method does not wait for it.</summary>
    /// <param name="work">The work, which does not throw.</param>
    public void Enqueue(Action work)
    {
        lock (_gate)
        {
            _waiting.Enqueue(work);
            if (_isRunning)
            {
                return;
            }

            _isRunning = true;
        }

        new Thread(Run) { IsBackground = true, Name = "MoeOffload images" }.Start();
    }

    /// <summary>Releases the projector, after the image that is being encoded.</summary>
    public void Dispose() => Native.Dispose();

    private void Run()
    {
        while (Take() is { } work)
        {
            work();
        }
    }

    private Action? Take()
    {
        lock (_gate)
        {
            _isRunning = _waiting.TryDequeue(out Action? work);
            return work;
        }
    }
}
