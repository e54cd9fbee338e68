namespace MoeOffload.Inference;

/// <summary>Resolves options of a context for a model, and checks that such a context fits into memory.</summary>
internal static class ContextPreparation
{
    /// <summary>Prepares a context to generate in.</summary>
    /// <exception cref="ArgumentException">A dense model is asked to count experts.</exception>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    /// <exception cref="NotSupportedException">The model cannot continue a text.</exception>
    public static ContextParameters ForGeneration(LoadedModel model, ContextOptions options)
    {
        if (!model.Native.HasDecoder || model.Native.HasEncoder)
        {
            throw new NotSupportedException($"'{model.Path}' ({model.Info.Architecture}) is not a decoder-only model: it cannot continue a text.");
        }

        if (options.CountExperts && !model.Info.IsMixtureOfExperts)
        {
            throw new ArgumentException(
                $"'{model.Path}' ({model.Info.Architecture}) is a dense model, without experts to count: leave CountExperts off.",
                nameof(ContextOptions.CountExperts));
        }

        return Fitting(model, options, embeds: false);
    }

    /// <summary>Prepares a context to compute embeddings in.</summary>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    public static ContextParameters ForEmbedding(LoadedModel model, ContextOptions options) => Fitting(model, options, embeds: true);

    private static ContextParameters Fitting(LoadedModel model, ContextOptions options, bool embeds)
    {
        DeviceInfo[] devices = model.DescribeDevices();
        ContextOptions sized = ContextLengthDefault.Resolve(
            options, model.Native, model.Loader.HeadLength, devices, model.Placement.Devices.ToDictionary(total => total.Device, total => total.Bytes));
        var parameters = new ContextParameters(sized, model.Placement.KeepsExpertsBesideDevice, embeds);
        ContextMemoryCheck.Check(
            model.Native,
            parameters,
            model.Loader.HeadLength,
            devices,
            length => ContextEstimate.Make(model.Loader, sized with { ContextLength = length }, embeds));
        return parameters;
    }
}
