using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>
/// Prevents a native object from being freed while a call uses it, even if another thread disposes its handle. The end of the last use
/// frees it. A call that never returns keeps it forever.
/// </summary>
internal readonly ref struct HandleUse
{
    private readonly SafeHandle? _handle;

    /// <summary>Begins a use, unless the handle is <see langword="null"/>.</summary>
    /// <exception cref="ObjectDisposedException">The object has been freed.</exception>
    public HandleUse(SafeHandle? handle)
    {
        bool added = false;
        handle?.DangerousAddRef(ref added);
        _handle = handle;
    }

    /// <summary>Ends the use.</summary>
    public void Dispose() => _handle?.DangerousRelease();
}
