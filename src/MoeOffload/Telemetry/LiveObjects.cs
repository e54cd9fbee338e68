namespace MoeOffload.Telemetry;

/// <summary>Contains objects that exist, without keeping them alive. This type is thread-safe.</summary>
internal sealed class LiveObjects<T>
    where T : class
{
    private readonly Lock _gate = new();
    private readonly List<WeakReference<T>> _references = [];

    /// <summary>Adds an object.</summary>
    public void Add(T item)
    {
        lock (_gate)
        {
            _references.Add(new WeakReference<T>(item));
        }
    }

    /// <summary>Removes an object that ends, and those that were collected.</summary>
    public void Remove(T item)
    {
        lock (_gate)
        {
            _references.RemoveAll(reference => !reference.TryGetTarget(out T? target) || ReferenceEquals(target, item));
        }
    }

    /// <summary>Returns the objects.</summary>
    public IReadOnlyList<T> ToList()
    {
        lock (_gate)
        {
            return [.. _references.Select(reference => reference.TryGetTarget(out T? target) ? target : null).OfType<T>()];
        }
    }
}
