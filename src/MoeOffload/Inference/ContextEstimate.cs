using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Inference;

/// <summary>Estimates the memory of a model and a context, without reading weights or allocating memory.</summary>
internal static class ContextEstimate
{
    /// <summary>Estimates the memory of a model and a context for it, and of the draft model and its context if there is one.</summary>
    /// <exception cref="InferenceException">
    /// The table of the context's cells alone does not fit into memory, or llama.cpp rejected the context.
    /// </exception>
    public static MemoryBreakdown Make(ModelLoader loader, ContextOptions context, bool embeds)
    {
        MemoryBreakdown own = MakeOwn(loader, context, embeds);
        if (context.Speculation?.DraftModel is not { } draft)
        {
            return own;
        }

        using ModelAccess.Use use = draft.Enter();
        MemoryBreakdown drafts = MakeOwn(draft.Loader, context.ForDraft(own.ContextLength), embeds: false);
        return new MemoryBreakdown([.. own.Buffers, .. drafts.Buffers], own.ContextLength);
    }

    private static MemoryBreakdown MakeOwn(ModelLoader loader, ContextOptions context, bool embeds)
    {
        using NativeModel native = loader.Simulate();
        if (context.ContextLength > 0)
        {
            return Make(loader, native, context, embeds);
        }

        // llama.cpp reports the weights in each memory only together with a context.
        MemoryBreakdown shortest = Make(
            loader, native, context with { ContextLength = DefaultContextLength.Shortest(native.TrainedContextLength) }, embeds);
        ContextOptions sized = ContextLengthDefault.Resolve(
            context,
            native,
            loader.HeadLength,
            DeviceSelection.Describe(loader.DeviceNames),
            shortest.Devices.ToDictionary(use => use.Device, use => use.WeightBytes));
        return sized.ContextLength <= shortest.ContextLength ? shortest : Make(loader, native, sized, embeds);
    }

    /// <summary>Excludes the weights, which another context of the same model already counts.</summary>
    public static IEnumerable<MemoryUse> WithoutWeights(this IEnumerable<MemoryUse> uses) => uses.Select(use => use with { WeightBytes = 0 });

    private static MemoryBreakdown Make(ModelLoader loader, NativeModel native, ContextOptions context, bool embeds)
    {
        var parameters = new ContextParameters(context, loader.Report(native).KeepsExpertsBesideDevice, embeds);
        ContextMemoryCheck.CheckCells(native, parameters);
        using NativeContext simulated = NativeContext.Create(native.Handle, parameters.ToSettings(), loader.NativeLogger);
        List<MemoryUse> uses = simulated.ReadUses();
        if (context.Speculation is { UseMtpLayers: true } && native.MtpInfo is { IsLoaded: true, IsComputable: true })
        {
            using NativeContext layers = NativeContext.Create(native.Handle, parameters.OfMtp().ToSettings(), loader.NativeLogger);
            uses.AddRange(layers.ReadUses().WithoutWeights());
        }

        return new MemoryBreakdown(uses, simulated.ContextLength);
    }
}
