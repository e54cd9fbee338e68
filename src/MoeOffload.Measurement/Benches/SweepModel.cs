namespace MoeOffload.Measurement.Benches;

/// <summary>Represents the model of a sweep, which is loaded again only if a point requires it.</summary>
/// <param name="options">What to measure.</param>
internal sealed class SweepModel(SweepOptions options) : IAsyncDisposable
{
    private const int WarmUpTokens = 4;

    // Random treats a seed and its negative as the same seed.
    private const int DepthSeed = 0;
    private const int WarmUpSeed = 1;
    private const int FirstSeed = 2;

    private SweepPoint? _point;
    private MoeModel? _model;
    private GenerationSession? _session;

    /// <summary>Measures a point.</summary>
    /// <param name="point">The point.</param>
    /// <param name="round">The round; each one uses different tokens.</param>
    /// <param name="cancellationToken">Cancels the measurement.</param>
    public async Task<(GenerationStatistics Statistics, MemoryBreakdown Memory)> MeasureAsync(SweepPoint point, int round, CancellationToken cancellationToken)
    {
        GenerationSession session = await OpenAsync(point, cancellationToken).ConfigureAwait(false);
        int[] depth = RandomTokens.Make(_model!.Vocabulary, point.Depth, DepthSeed);
        if (depth.Length > 0)
        {
            await GenerateAsync(session, depth, 1, cancellationToken).ConfigureAwait(false);
        }

        int[] prompt = RandomTokens.Make(_model.Vocabulary, point.PromptTokens, FirstSeed + round);
        return (await GenerateAsync(session, [.. depth, .. prompt], options.GeneratedTokens, cancellationToken).ConfigureAwait(false), session.Memory);
    }

    /// <summary>Unloads the model, so that its memory is free for another process.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_session is not null)
        {
            await _session.DisposeAsync().ConfigureAwait(false);
        }

        _model?.Dispose();
        (_point, _model, _session) = (null, null, null);
    }

    private async Task<GenerationSession> OpenAsync(SweepPoint point, CancellationToken cancellationToken)
    {
        if (_session is not null && _point == point)
        {
            return _session;
        }

        if (_model is null || _point?.Loading != point.Loading)
        {
            await DisposeAsync().ConfigureAwait(false);
            _model = await MoeModel.LoadAsync(options.Subject.Path, LoadOptions(point), null, cancellationToken).ConfigureAwait(false);
        }

        if (_session is not null)
        {
            await _session.DisposeAsync().ConfigureAwait(false);
        }

        _session = await _model.CreateSessionAsync(ContextOptions(point), cancellationToken).ConfigureAwait(false);
        _point = point;

        // The first run is slower because it reads pages and loads kernels, including those for prompts.
        await GenerateAsync(_session, RandomTokens.Make(_model.Vocabulary, point.PromptTokens, WarmUpSeed), WarmUpTokens, cancellationToken).ConfigureAwait(false);
        return _session;
    }

    private ModelOptions LoadOptions(SweepPoint point)
    {
        bool hasAccelerator = options.Subject.Accelerators().Count > 0;
        return options.Subject.Load with
        {
            Placement = hasAccelerator ? TensorPlacement.ExpertsToCpu(point.ExpertLayers) : TensorPlacement.Default,
            RequireDevice = options.Subject.Load.RequireDevice ?? (hasAccelerator ? ModelOptions.AnyAccelerator : null),
            LoadMode = point.IsMapped ? LoadMode.Mmap : LoadMode.None,
        };
    }

    private ContextOptions ContextOptions(SweepPoint point) => options.Subject.Context with
    {
        ContextLength = point.Depth + point.PromptTokens + options.GeneratedTokens,
        SequenceCount = 1,
        BatchSize = Math.Max(options.Subject.Context.BatchSize ?? 2048, point.MicroBatch),
        MicroBatchSize = point.MicroBatch,
        Threads = new ThreadOptions { Decode = point.Threads },
    };

    private static async Task<GenerationStatistics> GenerateAsync(GenerationSession session, int[] prompt, int count, CancellationToken cancellationToken)
    {
        TokenStream stream = session.GenerateAsync(
            new GenerationRequest { PromptTokens = prompt, Sampling = SamplingOptions.Greedy with { IgnoreEndOfSequence = true }, MaxTokens = count },
            cancellationToken);
        await foreach (GeneratedToken _ in stream.ConfigureAwait(false))
        {
        }

        return stream.Statistics!;
    }
}
