namespace MoeOffload.Server;

/// <summary>Adapts context options to a model.</summary>
public static class ModelContext
{
    /// <summary>Returns options that do not count experts if the model has none.</summary>
    /// <param name="options">The context options.</param>
    /// <param name="info">The description of the model.</param>
    public static ContextOptions For(ContextOptions options, ModelInfo info)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(info);
        return options with { CountExperts = options.CountExperts && info.IsMixtureOfExperts };
    }
}
