using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>
/// Represents a <c>llama_model</c>. If one of its RPC servers was lost, it is abandoned, since freeing it would wait for the server.
/// </summary>
internal sealed unsafe class ModelHandle : SafeHandle
{
    /// <summary>The time that servers may take to free memory before the call is abandoned.</summary>
    public static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(30);

    private readonly string[] _servers;

    /// <summary>Initializes a new instance of the <see cref="ModelHandle"/> class, which keeps the experts in files alive.</summary>
    /// <exception cref="ObjectDisposedException">The experts have been disposed.</exception>
    public ModelHandle(llama_model* model, string[] servers, ExpertStoreHandle? experts)
        : base(default, ownsHandle: true)
    {
        if (experts is not null)
        {
            bool added = false;
            experts.DangerousAddRef(ref added);
            Experts = experts;
        }

        _servers = servers;
        RpcServers.Hold(servers);
        SetHandle((nint)model);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == default;

    /// <summary>
    /// Gets the semaphore that protects llama.cpp's list of the model's adapters. It is held while an adapter is loaded or freed, a context is
    /// created, or a context computes for the first time after its adapters changed. It is not a lock, since another thread must be able to
    /// release it when the thread that holds it is abandoned.
    /// </summary>
    public SemaphoreSlim AdapterGate { get; } = new(1, 1);

    /// <summary>Gets the experts that stay in the model's files, or <see langword="null"/> if all of them were loaded.</summary>
    public ExpertStoreHandle? Experts { get; }

    /// <summary>Gets the RPC servers whose devices the model uses.</summary>
    public IReadOnlyCollection<string> Servers => _servers;

    /// <summary>Gets a value that indicates whether one of these servers was lost.</summary>
    public bool IsLost => Array.Exists(_servers, RpcServers.IsLost);

    /// <summary>Gets or sets the tokens of the vocabulary that end a text, or <see langword="null"/> if they have not been determined yet.</summary>
    public int[]? EndOfGenerationTokens { get; set; }

    /// <summary>Gets the model, which is valid as long as the caller holds a reference to this handle.</summary>
    public llama_model* Pointer => (llama_model*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        nint model = handle;
        if (!IsLost && RpcServers.Run(_servers, () => ShimApi.moe_model_free((llama_model*)model, null, 0), out _, ReleaseLimit))
        {
            RpcServers.Release(_servers);
            Experts?.DangerousRelease();
        }

        return true;
    }
}
