namespace MoeOffload;

/// <summary>Represents the files that are loaded together with a model.</summary>
public sealed record ModelCompanions
{
    /// <summary>Gets the LoRA adapters that change the model. The default is an empty list.</summary>
    public IReadOnlyList<AdapterFile> Adapters
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Adapters));
    } = [];

    /// <summary>
    /// Gets the path of a smaller model with the same vocabulary that drafts tokens, as <see cref="SpeculationOptions.DraftModel"/>. It is
    /// loaded with the same options. The default is <see langword="null"/>.
    /// </summary>
    public string? DraftModelPath { get; init; }

    /// <summary>Returns the options with which a draft model is loaded: those of its model, without what concerns that model alone.</summary>
    /// <param name="options">The options of the model.</param>
    public static ModelOptions ForDraft(ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.ForDraft();
    }
}
