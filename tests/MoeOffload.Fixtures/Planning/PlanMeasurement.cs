using MoeOffload.Gguf;

namespace MoeOffload.Fixtures;

/// <summary>Plans cases, loads them as planned, and reads what llama.cpp's allocator then holds.</summary>
/// <param name="devices">The devices, as many as a case needs.</param>
public sealed class PlanMeasurement(PlanDevices devices)
{
    /// <summary>Measures a case.</summary>
    public PlanSample Measure(PlanCase one)
    {
        ArgumentNullException.ThrowIfNull(one);
        string path = PlanCases.Models[one.Model].Path;
        ContextOptions context = Context(one);
        ModelOptions options = devices.Options(one.Devices) with
        {
            Placement = one.Placement == PlanCase.Experts ? TensorPlacement.ExpertsToCpu() : TensorPlacement.Default,
        };
        PlacementPlan plan = MoeModel.Fit(path, options, context, Budget(one, path, options, context));
        if (!plan.Fits)
        {
            throw new InvalidOperationException($"{one} does not fit: {plan.Shortage}.");
        }

        using MoeModel model = MoeModel.Load(path, options.WithPlan(plan));
        using GenerationSession session = model.CreateSession(context);
        return new PlanSample(one, [.. plan.Memory.Select(use => Compare(use, session.Memory))]);
    }

    private static PlanSample.Use Compare(PlannedMemory planned, MemoryBreakdown memory)
    {
        MemoryUse? taken = memory.Devices.FirstOrDefault(use => use.Device == planned.Device);
        return new PlanSample.Use(
            planned.Device == DeviceTotal.Host ? "system" : "device",
            [planned.WeightBytes, planned.ContextBytes, planned.ComputeBytes],
            [taken?.WeightBytes ?? 0, taken?.ContextBytes ?? 0, taken?.ComputeBytes ?? 0]);
    }

    // To fit, devices together have three quarters of the memory that everything takes.
    private static FitOptions Budget(PlanCase one, string path, ModelOptions options, ContextOptions context)
    {
        var ample = new FitOptions { Margin = 0 };
        if (one.Placement != PlanCase.Fit)
        {
            return ample;
        }

        long needed = MoeModel.EstimateMemory(path, options, context).Devices.Where(use => !use.IsHost).Sum(use => use.TotalBytes);
        return ample with { DeviceBytes = [.. Enumerable.Repeat(needed * 3 / 4 / one.Devices, one.Devices)] };
    }

    private static ContextOptions Context(PlanCase one)
    {
        GgmlType type = Enum.Parse<GgmlType>(one.Cache, ignoreCase: true);
        return new ContextOptions
        {
            ContextLength = one.Context,
            SequenceCount = one.Parallel,
            MicroBatchSize = one.MicroBatch,
            KvCache = new KvCacheOptions { KeyType = type, ValueType = type },
            Threads = new ThreadOptions { Decode = 1, Prompt = 1 },
        };
    }
}
