namespace MoeOffload.Native;

/// <summary>Adapters with their scales, kept alive. Immutable.</summary>
internal sealed class AdapterSet
{
    private readonly AdapterHandle[] _handles;
    private readonly float[] _scales;

    /// <summary>Keeps adapters, once.</summary>
    /// <exception cref="ObjectDisposedException">One was disposed.</exception>
    public AdapterSet(IReadOnlyList<(AdapterHandle Handle, float Scale)> adapters)
    {
        _handles = [.. adapters.Select(adapter => adapter.Handle)];
        _scales = [.. adapters.Select(adapter => adapter.Scale)];
        Keep();
    }

    /// <summary>The native adapters.</summary>
    public ReadOnlySpan<AdapterHandle> Handles => _handles;

    /// <summary>Their scales.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>Keeps the adapters once more.</summary>
    public void Keep()
    {
        int kept = 0;
        try
        {
            foreach (AdapterHandle handle in _handles)
            {
                bool added = false;
                handle.DangerousAddRef(ref added);
                kept++;
            }
        }
        catch
        {
            Release(kept);
            throw;
        }
    }

    /// <summary>Takes <see cref="Keep"/>, or the construction, back.</summary>
    public void Release() => Release(_handles.Length);

    private void Release(int count)
    {
        foreach (AdapterHandle handle in _handles.AsSpan(0, count))
        {
            handle.DangerousRelease();
        }
    }
}
