namespace MoeOffload.Inference;

/// <summary>Resolves context options for a model, and checks that the context fits into memory.</summary>
internal static class ContextPreparation
{
    /// <summary>Prepares a context for generation.</summary>
    /// <exception cref="ArgumentException">The options enable counting experts, but the model is dense.</exception>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    /// <exception cref="NotSupportedException">The model cannot generate text, or has no experts to trace.</exception>
    public static ContextParameters ForGeneration(LoadedModel model, ContextOptions options)
    {
        if (!model.Native.HasDecoder || model.Native.HasEncoder)
        {
            throw new NotSupportedException($"'{model.Path}' ({model.Info.Architecture}) is not a decoder-only model, so it cannot generate text.");
        }

        if (options.CountExperts && !model.Info.IsMixtureOfExperts)
        {
            throw new ArgumentException(
                $"'{model.Path}' ({model.Info.Architecture}) is a dense model without experts to count. Set CountExperts to false.",
                nameof(ContextOptions.CountExperts));
        }

        if (options.TraceExperts is not null && !model.Info.IsMixtureOfExperts)
        {
            throw new NotSupportedException(
                $"'{model.Path}' ({model.Info.Architecture}) is a dense model without experts to trace. Use a mixture-of-experts model.");
        }

        return Fitting(model, options, embeds: false);
    }

    /// <summary>Prepares a context for embeddings.</summary>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    public static ContextParameters ForEmbedding(LoadedModel model, ContextOptions options) => Fitting(model, options, embeds: true);

    /// <summary>Prepares a context for ranking texts with the model's classification head.</summary>
    /// <exception cref="InferenceException">The context does not fit into memory.</exception>
    public static ContextParameters ForRanking(LoadedModel model, ContextOptions options) => Fitting(model, options, embeds: true, ranks: true);

    private static ContextParameters Fitting(LoadedModel model, ContextOptions options, bool embeds, bool ranks = false)
    {
        DeviceInfo[] devices = model.DescribeDevices();
        ContextOptions sized = ContextLengthDefault.Resolve(
            options, model.Native, model.Loader.HeadLength, devices, model.Placement.Devices.ToDictionary(total => total.Device, total => total.Bytes));
        var parameters = new ContextParameters(sized, model.Placement.KeepsExpertsBesideDevice, embeds, ranks);
        ContextMemoryCheck.Check(
            model.Native,
            parameters,
            model.Loader.HeadLength,
            devices,
            length => ContextEstimate.Make(model.Loader, sized with { ContextLength = length }, embeds));
        return parameters;
    }
}
