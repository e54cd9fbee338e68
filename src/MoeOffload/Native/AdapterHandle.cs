using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using MoeOffload.Native.Generated;

namespace MoeOffload.Native;

/// <summary>Represents a <c>llama_adapter_lora</c>, which keeps its model alive.</summary>
internal sealed unsafe class AdapterHandle : SafeHandle
{
    private readonly ModelHandle _model;

    private AdapterHandle(ModelHandle model)
        : base(default, ownsHandle: true)
    {
        bool added = false;
        model.DangerousAddRef(ref added);
        _model = model;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => false; // even without an adapter, the model must be released

    /// <summary>Gets the adapter, which is valid as long as the caller holds a reference to this handle.</summary>
    public llama_adapter_lora* Pointer => (llama_adapter_lora*)handle;

    /// <summary>Loads an adapter whose file has been checked.</summary>
    /// <exception cref="ModelLoadException">llama.cpp rejected the adapter, there is not enough memory, or an RPC server of the model was lost.</exception>
    public static AdapterHandle Load(ModelHandle model, string path, ILogger logger)
    {
        var adapter = new AdapterHandle(model);
        try
        {
            bool finished = RpcServers.Run(
                model.Servers,
                () =>
                {
                    using (NativeLog.Enter(logger))
                    {
                        adapter.Load(path);
                    }
                },
                out string reason);
            return finished ? adapter : throw new ModelLoadException($"RPC server {string.Join(", ", model.Servers)} was lost: {reason}");
        }
        catch
        {
            adapter.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        nint adapter = handle;
        if (adapter == 0 || (!_model.IsLost && RpcServers.Run(_model.Servers, () => Free(_model, adapter), out _, ModelHandle.ReleaseLimit)))
        {
            _model.DangerousRelease();
        }

        return true;
    }

    private static void Free(ModelHandle model, nint adapter)
    {
        model.AdapterGate.Wait();
        ShimApi.moe_adapter_free((llama_adapter_lora*)adapter, null, 0);
        model.AdapterGate.Release();
    }

    private void Load(string path)
    {
        byte* error = stackalloc byte[NativeError.BufferSize];
        llama_adapter_lora* loaded;
        moe_status status;
        fixed (byte* text = Utf8.ToTerminated(LongPath.ForNativeCode(path), "An adapter path"))
        {
            _model.AdapterGate.Wait();
            status = ShimApi.moe_adapter_load(_model.Pointer, text, &loaded, error, NativeError.BufferSize);
            _model.AdapterGate.Release();
        }

        if (status != moe_status.MOE_STATUS_OK)
        {
            throw new ModelLoadException(NativeError.Describe($"The adapter '{path}' could not be loaded", status, error));
        }

        SetHandle((nint)loaded);
    }
}
