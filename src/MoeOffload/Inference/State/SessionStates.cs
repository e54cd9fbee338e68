using MoeOffload.Inference.Planning;
using MoeOffload.Inference.Running;
using MoeOffload.Shared;

namespace MoeOffload.Inference.State;

/// <summary>Saves the kept sequences of a session to a stream and loads them from it.</summary>
internal sealed class SessionStates(Scheduler scheduler, LoadedModel model, ContextParameters parameters, StateLimits limits)
{
    /// <inheritdoc cref="GenerationSession.SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)"/>
    public async Task<int> SaveAsync(Stream destination, IReadOnlyList<int>? prompt, CancellationToken cancellationToken)
    {
        StateIdentity identity = Identity();
        int[]? tokens = prompt is null ? null : [.. prompt];
        List<SavedSequence> saved = [];
        try
        {
            await scheduler.RunAsync(executor => Read(executor, tokens, saved)).ConfigureAwait(false);
            await StateWriter.WriteAsync(destination, identity, saved, cancellationToken).ConfigureAwait(false);
            return saved.Sum(sequence => sequence.Tokens.Length);
        }
        finally
        {
            saved.ForEach(sequence => sequence.Dispose());
        }
    }

    /// <inheritdoc cref="GenerationSession.SaveStateAsync(string, IReadOnlyList{int}?, CancellationToken)"/>
    public async Task<int> SaveAsync(string path, IReadOnlyList<int>? prompt, CancellationToken cancellationToken)
    {
        using AtomicFile file = AtomicFile.Create(path);
        int count = await SaveAsync(file.Stream, prompt, cancellationToken).ConfigureAwait(false);
        file.Commit();
        return count;
    }

    /// <inheritdoc cref="GenerationSession.LoadStateAsync(string, CancellationToken)"/>
    public async Task<int> LoadAsync(string path, CancellationToken cancellationToken)
    {
        FileStream file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            return await LoadAsync(file, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc cref="GenerationSession.LoadStateAsync(Stream, CancellationToken)"/>
    public async Task<int> LoadAsync(Stream source, CancellationToken cancellationToken)
    {
        List<SavedSequence> saved = await StateReader.ReadAsync(source, Identity(), limits, cancellationToken).ConfigureAwait(false);
        try
        {
            int count = 0;
            HostSequence[] sequences = [.. saved.Select(sequence => sequence.ToHost())];
            await scheduler.RunAsync(executor =>
            {
                count = executor.Cache.CountLoadable(sequences.Length);
                executor.Run(executor.Cache.Load(sequences));
            }).ConfigureAwait(false);
            return saved.TakeLast(count).Sum(sequence => sequence.Tokens.Length);
        }
        finally
        {
            saved.ForEach(sequence => sequence.Dispose());
        }
    }

    private static void Read(CacheExecutor executor, int[]? prompt, List<SavedSequence> saved)
    {
        foreach (SavedSource source in prompt is null ? executor.Cache.ListSources() : executor.Cache.ListSources(prompt))
        {
            saved.Add(source.Host is { } host
                ? ((SavedSequence)host.State).Clone()
                : SavedSequence.Read(executor.Context, source.Slot!.Id, source.Slot.Reusable.ToArray()));
        }
    }

    private StateIdentity Identity() => parameters.PrefixCache.Enabled
        ? StateIdentity.Of(model, parameters)
        : throw new InvalidOperationException("The session has no prefix cache to save or load. Set ContextOptions.PrefixCache.Enabled to true.");
}
