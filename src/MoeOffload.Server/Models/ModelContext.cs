namespace MoeOffload.Server;

/// <summary>Fits the context that options describe to a model.</summary>
public static class ModelContext
{
    /// <summary>Turns off the counting of experts for a model that has none.</summary>
    /// <param name="options">The context.</param>
    /// <param name="info">The model.</param>
    public static ContextOptions For(ContextOptions options, ModelInfo info)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(info);
        return options with { CountExperts = options.CountExperts && info.IsMixtureOfExperts };
    }
}
