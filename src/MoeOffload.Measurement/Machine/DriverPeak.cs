namespace MoeOffload.Measurement.Machine;

/// <summary>The most that GPUs had in use, by NVIDIA's driver, which is asked again and again.</summary>
internal sealed class DriverPeak : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _ended = new();
    private readonly NvidiaDriver? _driver;
    private readonly Task _watching;
    private long[] _peaks = [];

    /// <summary>Begins.</summary>
    /// <param name="driver">The driver; null where there is none.</param>
    public DriverPeak(NvidiaDriver? driver)
    {
        _driver = driver;
        _watching = driver is null ? Task.CompletedTask : WatchAsync();
    }

    /// <summary>The most bytes of each GPU so far.</summary>
    public IReadOnlyList<long> Read()
    {
        lock (_ended)
        {
            IReadOnlyList<long> now = _driver?.ReadUsedBytes() ?? [];
            _peaks = now.Count == _peaks.Length ? [.. now.Zip(_peaks, Math.Max)] : [.. now];
            return _peaks;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(s_interval);
        while (await timer.WaitForNextTickAsync(_ended.Token).ConfigureAwait(false))
        {
            Read();
        }
    }
}
