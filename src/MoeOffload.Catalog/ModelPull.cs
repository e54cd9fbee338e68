namespace MoeOffload.Catalog;

/// <summary>
/// Downloads models from a hub to the Hugging Face cache, where a <see cref="ModelCatalog"/> and Hugging Face's own tools find them. An
/// interrupted download is resumed, and the hash of each file is verified. This type is thread-safe.
/// </summary>
public sealed class ModelPull : IDisposable
{
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromMilliseconds(100);

    private readonly PullOptions _options;
    private readonly HubClient _hub;

    /// <summary>Initializes a new instance, without connecting to the hub yet.</summary>
    /// <param name="options">The hub and the cache, or <see langword="null"/> to use <see cref="PullOptions.FromEnvironment"/>.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the token would be sent unencrypted.</exception>
    /// <exception cref="FormatException"><c>HF_ENDPOINT</c> is not a valid address.</exception>
    public ModelPull(PullOptions? options = null)
    {
        _options = options ?? PullOptions.FromEnvironment();
        _options.Validate();
        _hub = new HubClient(_options);
    }

    /// <summary>Downloads a model.</summary>
    /// <param name="reference">The model. If it does not name a variant, <c>Q4_K_M</c> or the repository's only model is downloaded.</param>
    /// <param name="progress">A provider for progress updates, called about ten times a second on the downloading thread, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">A token to cancel the download. The downloaded part is kept, and the next download resumes it.</param>
    /// <returns>The model in the cache.</returns>
    /// <exception cref="ModelNotFoundException">The hub does not have the repository, or the repository does not have the model.</exception>
    /// <exception cref="ModelPullException">The hub fails, denies access, or sends content whose hash is wrong.</exception>
    /// <exception cref="IOException">The disk is full, or the cache cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The caller is not permitted to write to the cache.</exception>
    /// <exception cref="OperationCanceledException">The download was canceled.</exception>
    public async Task<CatalogEntry> PullAsync(
        ModelReference reference, IProgress<PullProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        var state = new PullProgress(PullStage.Resolving, string.Empty, 0, 0);
        progress?.Report(state);
        var backoff = new Backoff(
            _options.FirstRetryDelay, _options.MaxAttempts, message => progress?.Report(state with { Stage = PullStage.Retrying, Message = message }));
        HubRevision revision = await backoff.RunAsync(
            () => _hub.GetRevisionAsync(reference.Repository, cancellationToken), cancellationToken).ConfigureAwait(false);
        FoundModel model = revision.Choose(reference, out IReadOnlyList<HubFile> files);
        var cache = new HubCacheDirectory(_options.CacheDirectory, reference.Repository);
        cache.RequireSpace(files.Sum(file => cache.Missing(revision.Commit, file)));

        long earlier = 0;
        long reported = 0;
        foreach (HubFile file in files)
        {
            backoff.Reset();
            await AddAsync(cache, reference.Repository, revision.Commit, file, backoff, Report, cancellationToken).ConfigureAwait(false);
            earlier += file.Bytes;

            void Report(PullStage stage, long bytes)
            {
                bool changes = stage != state.Stage;
                state = new PullProgress(stage, file.Path, earlier + bytes, model.Bytes);
                if (changes || TimeProvider.System.GetElapsedTime(reported) >= s_reportInterval)
                {
                    reported = TimeProvider.System.GetTimestamp();
                    progress?.Report(state);
                }
            }
        }

        cache.SetReference(_options.Revision, revision.Commit);
        progress?.Report(new PullProgress(PullStage.Done, files[^1].Path, model.Bytes, model.Bytes));
        string name = HuggingFaceCache.Names(reference.Repository, model)[0];
        return new CatalogEntry(name, cache.Snapshot(revision.Commit, files[0].Path), model.Bytes, ModelSource.HuggingFace);
    }

    /// <summary>Closes the connections to the hub.</summary>
    public void Dispose() => _hub.Dispose();

    private async Task AddAsync(
        HubCacheDirectory cache,
        string repository,
        string commit,
        HubFile file,
        Backoff backoff,
        Action<PullStage, long> progress,
        CancellationToken cancellationToken)
    {
        if (cache.Has(commit, file))
        {
            return;
        }

        FileStream own = await cache.LockAsync(file, () => progress(PullStage.Waiting, 0), cancellationToken).ConfigureAwait(false);
        await using (own.ConfigureAwait(false))
        {
            if (!cache.HasBlob(file))
            {
                var download = new BlobDownload(_hub, repository, commit, file, backoff, progress);
                await download.RunAsync(cache.Partial(file), cancellationToken).ConfigureAwait(false);
                cache.Complete(file);
            }

            cache.Link(commit, file);
        }
    }
}
