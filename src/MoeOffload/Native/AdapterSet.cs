namespace MoeOffload.Native;

/// <summary>Represents adapters with their scales, and keeps the adapters alive. Instances are immutable.</summary>
internal sealed class AdapterSet
{
    private readonly AdapterHandle[] _handles;
    private readonly float[] _scales;

    /// <summary>Initializes a new instance of the <see cref="AdapterSet"/> class, with one reference to the adapters.</summary>
    /// <exception cref="ObjectDisposedException">An adapter has been disposed.</exception>
    public AdapterSet(IReadOnlyList<(AdapterHandle Handle, float Scale)> adapters)
    {
        _handles = [.. adapters.Select(adapter => adapter.Handle)];
        _scales = [.. adapters.Select(adapter => adapter.Scale)];
        Keep();
    }

    /// <summary>Gets the native adapters.</summary>
    public ReadOnlySpan<AdapterHandle> Handles => _handles;

    /// <summary>Gets the scales of the adapters.</summary>
    public ReadOnlySpan<float> Scales => _scales;

    /// <summary>Adds a reference to the adapters.</summary>
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

    /// <summary>Releases a reference that the constructor or <see cref="Keep"/> added.</summary>
    public void Release() => Release(_handles.Length);

    private void Release(int count)
    {
        foreach (AdapterHandle handle in _handles.AsSpan(0, count))
        {
            handle.DangerousRelease();
        }
    }
}
