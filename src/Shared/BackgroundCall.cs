namespace MoeOffload.Shared;

/// <summary>Runs calls that take long on other threads than the caller's.</summary>
internal static class BackgroundCall
{
    /// <summary>
    /// Runs a call that can wait for files, servers or devices on a thread of its own. If the caller stops waiting, the result is discarded,
    /// and disposed if it can be.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken) =>
        WaitAsync(call, TaskCreationOptions.LongRunning, cancellationToken);

    /// <summary>
    /// Runs a call that only computes on the thread pool. If the caller stops waiting, the result is discarded, and disposed if it can be.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static Task<T> ComputeAsync<T>(Func<T> call, CancellationToken cancellationToken) =>
        WaitAsync(call, TaskCreationOptions.None, cancellationToken);

    /// <inheritdoc cref="ComputeAsync{T}(Func{T}, CancellationToken)"/>
    public static Task ComputeAsync(Action call, CancellationToken cancellationToken) => ComputeAsync(WithResult(call), cancellationToken);

    /// <summary>Runs a call that ends itself when the token is canceled, on a thread of its own. The task completes when the call has ended.</summary>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static Task<T> RunToEndAsync<T>(Func<T> call, CancellationToken cancellationToken) =>
        Start(call, TaskCreationOptions.LongRunning, cancellationToken);

    /// <inheritdoc cref="RunToEndAsync{T}(Func{T}, CancellationToken)"/>
    public static Task RunToEndAsync(Action call, CancellationToken cancellationToken) => RunToEndAsync(WithResult(call), cancellationToken);

    private static Func<bool> WithResult(Action call) => () =>
    {
        call();
        return true;
    };

    private static async Task<T> WaitAsync<T>(Func<T> call, TaskCreationOptions options, CancellationToken cancellationToken)
    {
        Task<T> made = Start(call, options, cancellationToken);
        try
        {
            return await made.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!made.IsCompleted || made.IsCompletedSuccessfully)
        {
            _ = made.ContinueWith(static task => Discard(task), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }
    }

    private static Task<T> Start<T>(Func<T> call, TaskCreationOptions options, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(call, cancellationToken, options | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);

    // Reading the exception marks it as observed.
    private static void Discard<T>(Task<T> made)
    {
        if (made.Exception is null && !made.IsCanceled)
        {
            (made.Result as IDisposable)?.Dispose();
        }
    }
}
