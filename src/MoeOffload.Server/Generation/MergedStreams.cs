using System.Threading.Channels;

namespace MoeOffload.Server.Generation;

/// <summary>Reads several streams that are generated at the same time.</summary>
internal static class MergedStreams
{
    private const int BufferedItems = 4;

    /// <summary>Reads streams as one. If one fails, the others are ended immediately.</summary>
    /// <param name="streams">The streams.</param>
    /// <param name="cancellationToken">A token to cancel all streams.</param>
    /// <returns>The items of all streams, each with the number of its stream.</returns>
    public static async IAsyncEnumerable<(int Index, T Item)> ReadAsync<T>(
        IReadOnlyList<IAsyncEnumerable<T>> streams, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (streams.Count == 1)
        {
            await foreach (T item in streams[0].WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                yield return (0, item);
            }

            yield break;
        }

        var items = Channel.CreateBounded<(int, T)>(streams.Count * BufferedItems);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task reading = PumpAllAsync();
        try
        {
            await foreach ((int, T) item in items.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                yield return item;
            }
        }
        finally
        {
            await cancel.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }

        async Task PumpAllAsync()
        {
            Task all = Task.WhenAll(streams.Select(PumpAsync));
            await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            items.Writer.TryComplete(all.IsCanceled ? new OperationCanceledException(cancellationToken) : all.Exception?.InnerException);
        }

        async Task PumpAsync(IAsyncEnumerable<T> stream, int index)
        {
            try
            {
                await foreach (T item in stream.WithCancellation(cancel.Token).ConfigureAwait(false))
                {
                    await items.Writer.WriteAsync((index, item), cancel.Token).ConfigureAwait(false);
                }
            }
            catch
            {
                await cancel.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    /// <summary>Completes streams. If one fails, the others are ended immediately.</summary>
    /// <param name="streams">The streams.</param>
    /// <param name="complete">The function that completes a stream.</param>
    /// <param name="cancellationToken">A token to cancel all streams.</param>
    public static async Task<TResult[]> CompleteAsync<TStream, TResult>(
        IReadOnlyList<TStream> streams, Func<TStream, CancellationToken, Task<TResult>> complete, CancellationToken cancellationToken)
    {
        if (streams.Count == 1)
        {
            return [await complete(streams[0], cancellationToken).ConfigureAwait(false)];
        }

        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<TResult>[] all = [.. streams.Select(CompleteOneAsync)];

        // A failure takes precedence over the cancellations that it caused.
        return await Task.WhenAll(all).ConfigureAwait(false);

        async Task<TResult> CompleteOneAsync(TStream stream)
        {
            try
            {
                return await complete(stream, cancel.Token).ConfigureAwait(false);
            }
            catch
            {
                await cancel.CancelAsync().ConfigureAwait(false);
                throw;
            }
        }
    }
}
