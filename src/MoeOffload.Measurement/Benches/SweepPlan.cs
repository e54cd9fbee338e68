namespace MoeOffload.Measurement.Benches;

/// <summary>Creates the points of a sweep. Apart from its axis, each point has the settings of the subject and all experts in system memory.</summary>
/// <param name="options">What to measure.</param>
internal sealed class SweepPlan(SweepOptions options)
{
    private static readonly int[] s_microBatches = [512, 1024, 2048, 4096];
    private static readonly int[] s_depths = [0, 512, 1024, 2048, 4096];

    private readonly BenchSubject _subject = options.Subject;

    /// <summary>Creates the points, axis by axis.</summary>
    /// <exception cref="ArgumentException">An axis is unknown.</exception>
    public IReadOnlyList<SweepPoint[]> Make()
    {
        bool isOffloaded = _subject.Placements().Count > 1;
        SweepPoint point = Base(isOffloaded);
        return
        [
            .. options.Axes.Where(axis => axis != SweepAxis.ExpertLayers || isOffloaded).Select(axis => axis switch
            {
                SweepAxis.ExpertLayers => ExpertLayers().Select(value => point with { Axis = axis, Value = value, ExpertLayers = value }).ToArray(),
                SweepAxis.MicroBatch => MicroBatches(point with { Axis = axis }),
                SweepAxis.Threads => [.. Threads().Select(value => point with { Axis = axis, Value = value, Threads = value })],
                SweepAxis.Depth => [.. Depths().Select(value => point with { Axis = axis, Value = value, Depth = value })],
                SweepAxis.HostMemory => [point with { Axis = axis, Value = 1, IsMapped = true }, point with { Axis = axis, Value = 0, IsMapped = false }],
                _ => throw new ArgumentException($"'{axis}' is not a valid axis: use one of {string.Join(", ", SweepAxis.All)}."),
            }),
        ];
    }

    // The library's defaults are set explicitly, so that llama-bench uses the same values.
    private SweepPoint Base(bool isOffloaded)
    {
        const int OffloadedMicroBatch = 2048;
        const int MicroBatch = 512;
        bool isPinned = isOffloaded && _subject.Accelerators().Any(device => device.Kind is DeviceKind.Gpu);
        return new SweepPoint(
            string.Empty,
            0,
            isOffloaded ? _subject.LayerCount : 0,
            _subject.Load.LoadMode is LoadMode.Mmap or LoadMode.MmapMlock || (_subject.Load.LoadMode == LoadMode.Auto && !isPinned),
            _subject.Context.MicroBatchSize ?? (isOffloaded ? OffloadedMicroBatch : MicroBatch),
            _subject.Context.Threads.Decode ?? ThreadOptions.DefaultDecode,
            0,
            options.PromptTokens);
    }

    private IEnumerable<int> ExpertLayers() =>
        options.ExpertLayers ?? Enumerable.Range(0, 5).Select(quarter => quarter * _subject.LayerCount / 4).Distinct();

    private SweepPoint[] MicroBatches(SweepPoint point)
    {
        IReadOnlyList<int> values = options.MicroBatches ?? [.. s_microBatches.Where(Fits)];
        return [.. values.Select(value => point with { Value = value, MicroBatch = value, PromptTokens = Math.Max(options.PromptTokens, values.Max()) })];
    }

    private IEnumerable<int> Threads()
    {
        int cores = ThreadOptions.DefaultDecode;
        return options.Threads ?? Enumerable.Range(0, 10).Select(power => 1 << power).Where(count => count < cores).Append(cores);
    }

    private IEnumerable<int> Depths() => options.Depths ?? s_depths.Where(depth => Fits(depth + options.PromptTokens));

    private bool Fits(int tokens) => _subject.TrainedLength == 0 || tokens + options.GeneratedTokens <= _subject.TrainedLength;
}
