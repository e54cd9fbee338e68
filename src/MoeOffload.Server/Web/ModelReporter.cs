using System.Text.Json;
using MoeOffload.Diagnostics;
using MoeOffload.Server.Models;

namespace MoeOffload.Server.Web;

/// <summary>Creates reports about models.</summary>
internal static class ModelReporter
{
    /// <summary>Creates the report about a model.</summary>
    /// <param name="status">The status of the model.</param>
    /// <param name="model">The model, or <see langword="null"/> if it is not loaded. Its session can be disposed at any time.</param>
    public static ModelReport Report(ModelStatus status, ServedModel? model)
    {
        var report = new ModelReport(
            status.Entry.Name,
            JsonNamingPolicy.SnakeCaseLower.ConvertName(status.State.ToString()),
            status.State == ModelState.Loaded,
            status.Progress,
            status.Error,
            status.ActiveRequests,
            null,
            null,
            null,
            null,
            null);
        if (model is null || status.State != ModelState.Loaded)
        {
            return report;
        }

        try
        {
            return report with
            {
                Info = Facts(model.Model.Info),
                Devices = Devices(model.Memory),
                Placement = Placement(model.Model.Placement),
                Experts = model.Session?.ExpertActivity is { } activity ? Experts(model.Model, activity) : null,
                Session = model.Session is { } session ? Session(session) : null,
                Plan = model.Model.Plan is { } plan ? Plan(plan) : null,
                ExpertStorage = model.Model.ReadExpertStorage() is { } storage ? Storage(storage) : null,
            };
        }
        catch (ObjectDisposedException)
        {
            return report with { Status = "unloaded", Loaded = false };
        }
    }

    private static ModelFacts Facts(ModelInfo info) => new(
        info.Name,
        info.Architecture,
        info.Description,
        info.ParameterCount,
        info.LayerCount,
        info.ExpertCount,
        info.ExpertUsedCount,
        info.TrainedContextLength,
        info.TensorBytes);

    private static DeviceMemory[] Devices(IReadOnlyList<MemoryUse> memory)
    {
        IReadOnlyList<DeviceInfo> known = MoeModel.ListDevices();
        return
        [
            .. memory.GroupBy(use => use.Device).Select(uses =>
            {
                bool isHost = uses.First().IsHost;
                DeviceInfo? device = known.FirstOrDefault(device => isHost ? device.Kind == DeviceKind.Cpu : device.Name == uses.Key);
                return new DeviceMemory(
                    uses.Key,
                    device?.Description,
                    device?.TotalBytes ?? 0,
                    device?.FreeBytes ?? 0,
                    uses.Sum(use => use.WeightBytes),
                    uses.Sum(use => use.ContextBytes),
                    uses.Sum(use => use.ComputeBytes));
            }),
        ];
    }

    private static PlacementMap Placement(PlacementReport placement)
    {
        ILookup<int?, TensorLocation> layers = placement.Tensors.ToLookup(tensor => tensor.Layer);
        return new PlacementMap(
            [.. placement.Devices.Select(device => new DeviceWeights(device.Device, device.TensorCount, device.Bytes))],
            [.. layers.Where(layer => layer.Key is not null).OrderBy(layer => layer.Key).Select(layer => new LayerTensors(layer.Key!.Value, Groups(layer)))],
            Groups(layers[null]));
    }

    private static GroupTensors[] Groups(IEnumerable<TensorLocation> tensors) =>
    [
        .. tensors.GroupBy(tensor => (tensor.Group, Device: tensor.IsHost ? DeviceTotal.Host : tensor.Device))
            .OrderBy(group => group.Key.Group)
            .ThenBy(group => group.Key.Device == DeviceTotal.Host)
            .ThenBy(group => group.Key.Device, StringComparer.Ordinal)
            .Select(group => new GroupTensors(
                JsonNamingPolicy.SnakeCaseLower.ConvertName(group.Key.Group.ToString()),
                group.Key.Device,
                group.Count(),
                group.Sum(tensor => tensor.Bytes))),
    ];

    // A layer that has not selected experts yet is included with zeros.
    private static ExpertCounts Experts(MoeModel model, ExpertActivity activity)
    {
        IEnumerable<int> layers = model.Placement.Tensors.Where(tensor => tensor.IsExpert).Select(tensor => tensor.Layer).OfType<int>().Distinct().Order();
        return new ExpertCounts(
            activity.ExpertCount,
            model.Info.ExpertUsedCount,
            [.. layers.Where(layer => layer < activity.LayerCount).Select(layer => new LayerCounts(layer, activity.GetTokenCount(layer), [.. activity.GetCounts(layer)]))]);
    }

    private static SessionFacts Session(GenerationSession session)
    {
        SessionStatistics statistics = session.Statistics;
        return new SessionFacts(
            session.ContextLength,
            session.SequenceLength,
            session.SequenceCount,
            statistics.RunningCount,
            statistics.QueuedCount,
            statistics.RequestCount,
            statistics.PromptTokens,
            statistics.CachedPromptTokens);
    }

    private static PlanFacts Plan(PlacementPlan plan) => new(
        plan.IsExact,
        plan.ToString(),
        plan.Context.Length,
        plan.Margin,
        plan.BytesPerToken,
        plan.DeviceBytesPerToken,
        plan.ExpertLayers,
        plan.ExpertLayersOnDevices,
        [.. plan.Memory.Select(use => new PlannedDevice(use.Device, use.WeightBytes, use.ContextBytes, use.ComputeBytes, use.OtherBytes, use.FreeBytes))]);

    private static ExpertStorageFacts Storage(ExpertStorageStatistics storage) => new(
        storage.LimitBytes,
        storage.ResidentBytes,
        storage.PeakBytes,
        storage.TotalBytes,
        [.. storage.Layers.Select(layer => new StoredLayer(layer.Layer, layer.Hits, layer.Misses, layer.BytesRead, layer.WaitTime.TotalSeconds))]);
}
