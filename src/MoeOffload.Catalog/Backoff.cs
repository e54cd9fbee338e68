namespace MoeOffload.Catalog;

/// <summary>Repeats a request that fails, with a growing delay, up to a maximum number of attempts.</summary>
/// <param name="first">The delay after the first failure. Each further delay is twice as long.</param>
/// <param name="attempts">The number of attempts in a row that may fail.</param>
/// <param name="retrying">A callback that receives the error message before each delay.</param>
internal sealed class Backoff(TimeSpan first, int attempts, Action<string> retrying)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_longestAsked = TimeSpan.FromMinutes(5);

    private int _failures;

    /// <summary>Resets the number of failures, after an attempt that made progress.</summary>
    public void Reset() => _failures = 0;

    /// <summary>Runs an action until it succeeds.</summary>
    /// <exception cref="ModelPullException">The action failed the maximum number of times in a row.</exception>
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
            throw new ModelPullException($"{failure.Message} This was attempt {_failures}. Try again later; the downloaded part is kept.", failure);
        }

        retrying(failure.Message);
        TimeSpan pause = first * (1 << Math.Min(_failures - 1, 16));
        pause = pause < s_longest ? pause : s_longest;
        // Random, so that clients that failed at the same time do not retry at the same time.
        pause *= 0.75 + (Random.Shared.NextDouble() / 2);
        if (failure.RetryAfter is { } asked && asked > pause)
        {
            pause = asked < s_longestAsked ? asked : s_longestAsked;
        }

        await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
    }
}
