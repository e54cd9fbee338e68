namespace MoeOffload.Shared;

/// <summary>Represents what was loaded together with a model, and is freed with it.</summary>
/// <param name="adapters">The LoRA adapters.</param>
/// <param name="draft">The model that drafts tokens, or <see langword="null"/>.</param>
internal sealed class LoadedCompanions(IReadOnlyList<ScaledAdapter> adapters, MoeModel? draft) : IDisposable
{
    /// <summary>Loads the companions of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="files">The files of the companions, or <see langword="null"/> if there are none.</param>
    /// <param name="load">The options with which the model was loaded.</param>
    /// <param name="loadDraft">Loads the model that drafts tokens, from its path and its options.</param>
    /// <param name="cancellationToken">A token to cancel the load of an adapter.</param>
    public static async Task<LoadedCompanions> LoadAsync(
        MoeModel model, ModelCompanions? files, ModelOptions load, Func<string, ModelOptions, Task<MoeModel>> loadDraft, CancellationToken cancellationToken)
    {
        var adapters = new List<ScaledAdapter>();
        try
        {
            foreach (AdapterFile file in files?.Adapters ?? [])
            {
                adapters.Add(new ScaledAdapter(await model.LoadAdapterAsync(file.Path, cancellationToken).ConfigureAwait(false), file.Scale));
            }

            MoeModel? draft = files?.DraftModelPath is { } path
                ? await loadDraft(path, ModelCompanions.ForDraft(load)).ConfigureAwait(false)
                : null;
            return new LoadedCompanions(adapters, draft);
        }
        catch
        {
            new LoadedCompanions(adapters, draft: null).Dispose();
            throw;
        }
    }

    /// <summary>Returns the options of a context that uses the companions.</summary>
    public ContextOptions ApplyTo(ContextOptions context)
    {
        context = adapters.Count > 0 ? context with { Adapters = adapters } : context;
        return draft is null
            ? context
            : context with { Speculation = (context.Speculation ?? new SpeculationOptions()) with { DraftModel = draft, UseMtpLayers = false } };
    }

    public void Dispose()
    {
        foreach (ScaledAdapter adapter in adapters)
        {
            adapter.Adapter.Dispose();
        }

        draft?.Dispose();
    }
}
