using MoeOffload.Models;
using MoeOffload.Native;
using MoeOffload.Placement;

namespace MoeOffload.Inference;

/// <summary>Estimates the memory of a model and a context, without reading weights or allocating memory.</summary>
internal static class ContextEstimate
{
    // In a longer context, the attention mask of a micro-batch alone is larger than all that a generated token needs.
    private const int LongContext = 1 << 17;

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

    /// <summary>Adds the memory of the model's projector, if there is one.</summary>
    /// <exception cref="ModelLoadException">The projector is not valid.</exception>
    public static MemoryBreakdown WithProjector(MemoryBreakdown memory, ModelLoader loader) =>
        new([.. memory.Buffers, .. ProjectorMemory(loader)], memory.ContextLength);

    /// <summary>Reads the memory of the model's projector, which is empty if there is none.</summary>
    /// <exception cref="ModelLoadException">The projector is not valid.</exception>
    public static IReadOnlyList<MemoryUse> ProjectorMemory(ModelLoader loader) =>
        loader.ReadProjectorMemory(new ThreadOptions().DecodeCount);

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

    // Several devices divide a generated token among themselves in another way than a micro-batch of a prompt, whose buffers are the only ones
    // that a simulation reports. A buffer that is used for both is as large as the larger one.
    private static IEnumerable<MemoryUse> WithLargerBuffers(List<MemoryUse> prompt, List<MemoryUse> decoding) => prompt.Select(use => use with
    {
        ComputeBytes = Math.Max(
            use.ComputeBytes,
            decoding.Where(other => other.Buffer == use.Buffer && other.Device == use.Device).Select(other => other.ComputeBytes).FirstOrDefault()),
    });

    // The CPU and the backend of experts in files share a buffer, which a simulation counts for each of them. Beside a GPU, the CPU can use a
    // buffer of its own.
    private static IEnumerable<MemoryUse> WithBufferOnce(List<MemoryUse> uses)
    {
        MemoryUse[] host = [.. uses.Where(use => use.IsHost && use.ComputeBytes > 0)];
        return uses.Select(use => host is [{ Buffer: TensorPlacement.HostBuffer } shared] && use == shared ? use with { ComputeBytes = use.ComputeBytes / 2 } : use);
    }

    private static MemoryBreakdown Make(ModelLoader loader, NativeModel native, ContextOptions context, bool embeds)
    {
        var parameters = new ContextParameters(context, loader.Report(native).KeepsExpertsBesideDevice, embeds);
        ContextMemoryCheck.CheckCells(native, parameters);
        using NativeContext simulated = NativeContext.Create(native.Handle, parameters.ToSettings(), loader.NativeLogger);
        List<MemoryUse> uses = simulated.ReadUses();
        if (loader.DeviceNames.Length > 0 && !embeds && parameters.MicroBatchSize > context.SequenceCount
            && parameters.CellCount(native.TrainedContextLength) <= LongContext)
        {
            var decoding = new ContextParameters(context with { MicroBatchSize = context.SequenceCount }, expertsOffloaded: false);
            using NativeContext small = NativeContext.Create(native.Handle, decoding.ToSettings(), loader.NativeLogger);
            uses = [.. WithLargerBuffers(uses, small.ReadUses())];
        }

        if (loader.KeepsExpertsInFiles)
        {
            uses = [.. WithBufferOnce(uses)];
        }

        if (context.Speculation is { UseMtpLayers: true } && native.MtpInfo is { IsLoaded: true, IsComputable: true })
        {
            using NativeContext layers = NativeContext.Create(native.Handle, parameters.OfMtp().ToSettings(), loader.NativeLogger);
            uses.AddRange(layers.ReadUses().WithoutWeights());
        }

        return new MemoryBreakdown(uses, simulated.ContextLength);
    }
}
