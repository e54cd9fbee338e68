namespace MoeOffload.Server;

/// <summary>The context that options mean for a model.</summary>
public static class ModelContext
{
    /// <summary>Tokens of a context where no length is said, and the model was trained for a longer one or does not say.</summary>
    public const int UsualLength = 8192;

    /// <summary>The context with the length that 0 stands for.</summary>
    /// <param name="options">The context.</param>
    /// <param name="trainedLength">What the model was trained for, in tokens; 0 where it does not say.</param>
    public static ContextOptions WithLength(ContextOptions options, int trainedLength)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.ContextLength > 0
            ? options
            : options with { ContextLength = trainedLength > 0 ? Math.Min(trainedLength, UsualLength) : UsualLength };
    }

    /// <summary>The context for a loaded model: with its length, and without counting experts where there are none.</summary>
    /// <param name="options">The context.</param>
    /// <param name="info">The model.</param>
    public static ContextOptions For(ContextOptions options, ModelInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        ContextOptions sized = WithLength(options, info.TrainedContextLength);
        return sized with { CountExperts = sized.CountExperts && info.IsMixtureOfExperts };
    }
}
