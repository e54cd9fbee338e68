namespace MoeOffload.Measurement.Machine;

/// <summary>Measures the maximum memory in use on GPUs by asking NVIDIA's driver repeatedly.</summary>
internal sealed class DriverPeak : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _ended = new();
    private readonly NvidiaDriver? _driver;
    private readonly Task _watching;
    private long[] _peaks = [];

    /// <summary>Starts measuring.</summary>
    /// <param name="driver">The driver; null if there is none.</param>
    public DriverPeak(NvidiaDriver? driver)
    {
        _driver = driver;
        _watching = driver is null ? Task.CompletedTask : WatchAsync();
    }

    /// <summary>Gets the maximum of each GPU so far, in bytes.</summary>
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
