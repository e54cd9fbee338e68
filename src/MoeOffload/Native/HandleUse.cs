using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>
/// Keeps a native object from being freed while a call uses it, even if another thread disposes its handle meanwhile: the last one to
/// leave frees it. A call that never returns keeps it for good.
/// </summary>
internal readonly ref struct HandleUse
{
    private readonly SafeHandle? _handle;

    /// <summary>Begins a use; none of <see langword="null"/>.</summary>
    /// <exception cref="ObjectDisposedException">The object was freed.</exception>
    public HandleUse(SafeHandle? handle)
    {
        bool added = false;
        handle?.DangerousAddRef(ref added);
        _handle = handle;
    }

    /// <summary>Ends the use.</summary>
    public void Dispose() => _handle?.DangerousRelease();
}
