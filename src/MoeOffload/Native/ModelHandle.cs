using System.Runtime.InteropServices;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>A <c>llama_model</c>. Where one of its RPC servers was lost it is given up: freeing it would wait for the server.</summary>
internal sealed unsafe class ModelHandle : SafeHandle
{
    /// <summary>How long servers may take to give memory back, before it is left to them.</summary>
    public static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(30);

    private readonly string[] _servers;

    public ModelHandle(llama_model* model, string[] servers)
        : base(0, ownsHandle: true)
    {
        _servers = servers;
        RpcServers.Hold(servers);
        SetHandle((nint)model);
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Held while llama.cpp's list of the model's adapters changes or is read: while one is loaded or freed, a context is made, or one
    /// computes for the first time after its adapters were changed. No lock: who gives a thread up that holds it, lets it go.
    /// </summary>
    public SemaphoreSlim AdapterGate { get; } = new(1, 1);

    /// <summary>The RPC servers whose devices the model uses.</summary>
    public IReadOnlyCollection<string> Servers => _servers;

    /// <summary>Whether one of these servers was lost.</summary>
    public bool IsLost => Array.Exists(_servers, RpcServers.IsLost);

    /// <summary>Gets or sets the tokens of the vocabulary that end a text; null until they are looked for.</summary>
    public int[]? EndOfGenerationTokens { get; set; }

    /// <summary>The model, for as long as the caller holds a reference to this handle.</summary>
    public llama_model* Pointer => (llama_model*)handle;

    /// <summary>Keeps the model from being freed until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The model was given back.</exception>
    public Use Hold() => new(this);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        nint model = handle;
        if (!IsLost && RpcServers.Run(_servers, () => ShimApi.moe_model_free((llama_model*)model, null, 0), out _, ReleaseLimit))
        {
            RpcServers.Release(_servers);
        }

        return true;
    }

    /// <summary>Represents a reference to the model.</summary>
    internal readonly ref struct Use
    {
        private readonly ModelHandle _handle;

        public Use(ModelHandle handle)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
        }

        public void Dispose() => _handle.DangerousRelease();
    }
}
