using MoeOffload.Native;

namespace MoeOffload.Inference.State;

/// <summary>Takes a session's kept sequences out to a stream and back.</summary>
internal sealed class SessionStates(Scheduler scheduler, MoeModel model, ContextParameters parameters, StateLimits limits)
{
    /// <inheritdoc cref="GenerationSession.SaveStateAsync(Stream, IReadOnlyList{int}?, CancellationToken)"/>
    public async Task<int> SaveAsync(Stream destination, IReadOnlyList<int>? prompt, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> identity = Identity();
        int[]? tokens = prompt is null ? null : [.. prompt];
        List<SavedSequence> saved = [];
        try
        {
            await scheduler.RunAsync((context, cache) =>
            {
                if (tokens is null)
                {
                    cache.SaveAll(context, saved);
                }
                else
                {
                    cache.SaveBest(context, tokens, saved);
                }
            }).ConfigureAwait(false);
            await StateWriter.WriteAsync(destination, identity, saved, cancellationToken).ConfigureAwait(false);
            return saved.Sum(sequence => sequence.Tokens.Length);
        }
        finally
        {
            saved.ForEach(sequence => sequence.Dispose());
        }
    }

    /// <inheritdoc cref="GenerationSession.LoadStateAsync(Stream, CancellationToken)"/>
    public async Task<int> LoadAsync(Stream source, CancellationToken cancellationToken)
    {
        List<SavedSequence> saved = await StateReader.ReadAsync(source, Identity(), limits, cancellationToken).ConfigureAwait(false);
        try
        {
            int count = 0;
            await scheduler.RunAsync((context, cache) => count = cache.Load(context, saved)).ConfigureAwait(false);
            return saved.TakeLast(count).Sum(sequence => sequence.Tokens.Length);
        }
        finally
        {
            saved.ForEach(sequence => sequence.Dispose());
        }
    }

    private IReadOnlyList<string> Identity() => parameters.PrefixCache.Enabled
        ? StateIdentity.Of(model, parameters)
        : throw new InvalidOperationException("There is nothing to save to or load into: ContextOptions.PrefixCache is turned off.");
}
