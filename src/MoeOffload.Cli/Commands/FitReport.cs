using System.Globalization;
using System.Text.Json.Nodes;
using MoeOffload.Catalog;
using MoeOffload.Gguf;
using MoeOffload.Measurement.Reports;

namespace MoeOffload.Cli.Commands;

/// <summary>Describes plans of placements as text and as JSON.</summary>
internal static class FitReport
{
    public static void Write(TextWriter output, CatalogEntry entry, PlacementPlan plan)
    {
        output.WriteLine($"{entry.Name}, {Describe(plan.Context)}");
        var table = new Columns("memory of", ">weights", ">context", ">compute", ">other", ">total", ">free now", ">then");
        foreach (PlannedMemory use in plan.Memory)
        {
            // What is free for the model is what the projector leaves.
            foreach (MemoryUse beside in plan.ProjectorMemory.Where(beside => beside.TotalBytes > 0 && DeviceOf(beside) == use.Device))
            {
                table.Add(
                    $"{NameOf(use)}, projector",
                    Size.Of(beside.WeightBytes),
                    Size.Of(beside.ContextBytes),
                    Size.Of(beside.ComputeBytes),
                    Size.Of(0),
                    Size.Of(beside.TotalBytes),
                    Size.Of(use.FreeBytes + beside.TotalBytes),
                    Size.Of(use.FreeBytes));
            }

            table.Add(
                NameOf(use),
                Size.Of(use.WeightBytes),
                Size.Of(use.ContextBytes),
                Size.Of(use.ComputeBytes),
                Size.Of(use.OtherBytes),
                Size.Of(use.TotalBytes),
                Size.Of(use.FreeBytes),
                Size.Of(use.FreeBytes - use.TotalBytes));
        }

        table.WriteTo(output);
        output.WriteLine(plan.IsExact
            ? "The sizes are those of llama.cpp's allocator."
            : "The sizes of the weights are exact. The others are estimated, because the devices are not on this machine.");
        if (plan.Fits)
        {
            output.WriteLine($"It fits, with a margin of {Size.Of(plan.Margin)}: {How(plan)}.");
            output.WriteLine($"Options: {plan} -c {plan.Context.Length.ToString(CultureInfo.InvariantCulture)}");
            return;
        }

        output.WriteLine($"It does not fit with a margin of {Size.Of(plan.Margin)}: {plan.Shortage}.");
        output.WriteLine(plan.Alternatives.Count == 0
            ? "No change of the context or of the memory of experts would help: use a model with a smaller quantization."
            : "It would fit with one of these changes:");
        foreach (PlacementAlternative change in plan.Alternatives)
        {
            output.WriteLine($"  {change.Description}: {string.Join(", ", change.Memory.Select(use => $"{Size.Of(use.TotalBytes)} of {NameOf(use)}"))}");
        }
    }

    /// <summary>Describes in a few words what is on devices.</summary>
    public static string How(PlacementPlan plan) => plan switch
    {
        { Devices.Count: 0 } => plan.ExpertMemory is null ? "all in system memory" : "in system memory, with experts in the file",
        _ when plan.DeviceBytesPerToken == plan.BytesPerToken => $"all on {string.Join(", ", plan.Devices)}",
        { ExpertLayers: 0 } => string.Create(CultureInfo.InvariantCulture, $"{plan.GpuLayers} layers on {string.Join(", ", plan.Devices)}"),
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"{plan.GpuLayers} layers on {string.Join(", ", plan.Devices)}, with the experts of {plan.ExpertLayersOnDevices} of {plan.ExpertLayers}; devices hold {Share(plan):0} % of what a token reads"),
    };

    public static JsonObject Describe(CatalogEntry entry, PlacementPlan plan) => new()
    {
        ["name"] = entry.Name,
        ["path"] = entry.Path,
        ["fits"] = plan.Fits,
        ["exact"] = plan.IsExact,
        ["margin_bytes"] = plan.Margin,
        ["context"] = Json(plan.Context),
        ["devices"] = Measurement.Reports.Json.Array(plan.Devices.Select(device => JsonValue.Create(device))),
        ["gpu_layers"] = plan.GpuLayers,
        ["tensor_split"] = plan.TensorSplit is { } shares ? Measurement.Reports.Json.Array(shares.Select(share => JsonValue.Create(share))) : null,
        ["override_tensor"] = Measurement.Reports.Json.Array(plan.Placement.Rules.Select(rule => new JsonObject { ["pattern"] = rule.Pattern, ["buffer"] = rule.Buffer })),
        ["expert_memory_bytes"] = plan.ExpertMemory,
        ["options"] = plan.ToString(),
        ["expert_layers"] = plan.ExpertLayers,
        ["expert_layers_on_devices"] = plan.ExpertLayersOnDevices,
        ["bytes_per_token"] = plan.BytesPerToken,
        ["device_bytes_per_token"] = plan.DeviceBytesPerToken,
        ["memory"] = Json(plan.Memory),
        ["projector"] = Measurement.Reports.Json.Array(plan.ProjectorMemory.Select(use => new JsonObject
        {
            ["device"] = DeviceOf(use) == DeviceTotal.Host ? "host" : use.Device,
            ["weight_bytes"] = use.WeightBytes,
            ["compute_bytes"] = use.ComputeBytes,
            ["total_bytes"] = use.TotalBytes,
        })),
        ["shortage"] = plan.Shortage,
        ["alternatives"] = Measurement.Reports.Json.Array(plan.Alternatives.Select(change => new JsonObject
        {
            ["change"] = change.Description,
            ["context"] = Json(change.Context),
            ["expert_memory_bytes"] = change.ExpertMemory,
            ["memory"] = Json(change.Memory),
        })),
    };

    private static string Describe(ContextShape context) => string.Create(
        CultureInfo.InvariantCulture,
        $"a context of {context.Length} tokens, {context.SequenceCount} {(context.SequenceCount == 1 ? "request" : "requests")} at a time");

    private static JsonObject Json(ContextShape context) => new()
    {
        ["length"] = context.Length,
        ["parallel"] = context.SequenceCount,
        ["key_type"] = GgmlTypeInfo.Get(context.KeyType).Name,
        ["value_type"] = GgmlTypeInfo.Get(context.ValueType).Name,
        ["micro_batch"] = context.MicroBatchSize,
    };

    private static JsonArray Json(IEnumerable<PlannedMemory> memory) => Measurement.Reports.Json.Array(memory.Select(use => new JsonObject
    {
        ["device"] = use.Device == DeviceTotal.Host ? "host" : use.Device,
        ["weight_bytes"] = use.WeightBytes,
        ["context_bytes"] = use.ContextBytes,
        ["compute_bytes"] = use.ComputeBytes,
        ["other_bytes"] = use.OtherBytes,
        ["total_bytes"] = use.TotalBytes,
        ["free_bytes"] = use.FreeBytes,
    }));

    private static double Share(PlacementPlan plan) => 100.0 * plan.DeviceBytesPerToken / Math.Max(1, plan.BytesPerToken);

    private static string DeviceOf(MemoryUse use) => use.IsHost ? DeviceTotal.Host : use.Device;

    private static string NameOf(PlannedMemory use) => use.Device == DeviceTotal.Host ? "system" : use.Device;
}
