namespace MoeOffload.Server.Models;

/// <summary>Represents a context of a model that is created when it is first requested. This type is thread-safe.</summary>
/// <param name="make">The function that creates the context.</param>
internal sealed class LazyContext<T>(Func<Task<T>> make) : IAsyncDisposable
    where T : class, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private Task<T>? _made;

    /// <summary>Gets the context, or <see langword="null"/> if it was not requested or is not ready yet.</summary>
    public T? Value => _made is { IsCompletedSuccessfully: true } made ? made.Result : null;

    /// <summary>Gets the context, and creates it if necessary.</summary>
    /// <param name="cancellationToken">A token to cancel the wait. The creation continues for other callers.</param>
    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        Task<T> made;
        lock (_gate)
        {
            // If the creation failed before, it is tried again, because there may be enough memory now.
            made = _made is null or { IsFaulted: true } ? _made = make() : _made;
        }

        return made.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_made is { } made)
        {
            await ((Task)made).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Value is { } context)
            {
                await context.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
