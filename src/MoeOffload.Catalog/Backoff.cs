namespace MoeOffload.Catalog;

/// <summary>The pauses between attempts, and their end.</summary>
/// <param name="first">The first pause; each further one is twice as long.</param>
/// <param name="attempts">How many attempts in a row may fail.</param>
/// <param name="retrying">Told what failed, before each pause.</param>
internal sealed class Backoff(TimeSpan first, int attempts, Action<string> retrying)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_longestAsked = TimeSpan.FromMinutes(5);

    private int _failures;

    /// <summary>Begins the count anew, after an attempt that got further.</summary>
    public void Reset() => _failures = 0;

    /// <summary>Does something until it succeeds.</summary>
    /// <exception cref="ModelPullException">It failed as often as it may.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> action, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await action().ConfigureAwait(false);
            }
            catch (HubFailureException failure)
            {
                await PauseAsync(failure, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task PauseAsync(HubFailureException failure, CancellationToken cancellationToken)
    {
        if (++_failures >= attempts)
        {
            throw new ModelPullException($"{failure.Message} That was attempt {_failures} without success; try again later, what was downloaded is kept.", failure);
        }

        retrying(failure.Message);
        TimeSpan pause = first * (1 << Math.Min(_failures - 1, 16));
        pause = pause < s_longest ? pause : s_longest;
        // Clients that failed together must not come back together.
        pause *= 0.75 + (Random.Shared.NextDouble() / 2);
        if (failure.RetryAfter is { } asked && asked > pause)
        {
            pause = asked < s_longestAsked ? asked : s_longestAsked;
        }

        await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
    }
}
