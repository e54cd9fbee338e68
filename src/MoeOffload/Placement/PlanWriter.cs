namespace MoeOffload.Placement;

/// <summary>Expresses a distribution of layers and experts with llama.cpp's options.</summary>
internal static class PlanWriter
{
    public static PlacementPlan Write(PlacementProblem problem, LayerTable table, LayerLayout layout)
    {
        int layers = table.OutputLayer + 1 - layout.FirstLayer;
        int[] counts = [.. layout.Segments.Select(segment => segment.LayerCount)];
        int[] used = [.. Enumerable.Range(0, counts.Length).Where(i => counts[i] > 0 || table.PinnedBytes[i] > 0 || problem.TensorSplit is not null || problem.GpuLayers == 0)];
        int[] expertLayers = [.. table.Parts.Select(part => part.Layer).Distinct()];
        HashSet<int> onHost = [.. HostParts(table, layout).Select(part => part.Layer)];
        return new PlacementPlan
        {
            Fits = layout.Fits,
            Memory = layout.Memory,
            Placement = problem.Placement.Then(TensorPlacement.FromRules(Rules(problem, table, layout))),
            GpuLayers = problem.GpuLayers ?? layers,
            Devices = [.. used.Select(i => problem.Devices[i].Name)],
            TensorSplit = problem.TensorSplit ?? (used.Length > 1 && layers > 0 ? [.. used.Select(i => (float)counts[i])] : null),
            LayerCounts = counts,
            LeavesDevicesOut = used.Length < counts.Length,
            OffloadsExperts = layout.OffloadsExperts,
            ExpertMemory = problem.ExpertMemory,
            Context = problem.Context,
            Margin = problem.Margin,
            BytesPerToken = layout.TotalWeight / table.DenseWeight,
            DeviceBytesPerToken = layout.Weight / table.DenseWeight,
            ExpertLayersOnDevices = expertLayers.Count(layer => !onHost.Contains(layer)),
            ExpertLayers = expertLayers.Length,
            HostExpertBytes = layout.HostExpertBytes,
            Shortage = layout.Fits ? null : PlacementPlanner.Describe(layout.Shortages),
            Lacking = layout.Shortages,
        };
    }

    private static IEnumerable<ExpertPart> HostParts(LayerTable table, LayerLayout layout)
    {
        for (int i = 0; i < table.Parts.Count; i++)
        {
            if (!layout.Segments.Any(segment => i >= segment.FirstPart && i < segment.EndPart))
            {
                yield return table.Parts[i];
            }
        }
    }

    // Layers below the first one on a device are in system memory without a rule. They are a part of the rule if it gets shorter.
    private static IEnumerable<PlacementRule> Rules(PlacementProblem problem, LayerTable table, LayerLayout layout)
    {
        if (layout.FirstLayer >= table.OutputLayer)
        {
            return [];
        }

        if (problem.ExpertMemory is not null)
        {
            return DeviceRules(problem, table, layout);
        }

        ILookup<int, ExpertPart> left = HostParts(table, layout).ToLookup(part => part.Layer);
        int[] whole = WholeLayers(table, left);
        if (!whole.Any(layer => layer >= layout.FirstLayer) && left.All(layer => whole.Contains(layer.Key)))
        {
            return [];
        }

        var rules = new List<PlacementRule>();
        if (whole.Length > 0)
        {
            // Layers without experts in between change nothing, and make the pattern short.
            int[] covered = [.. Enumerable.Range(0, table.OutputLayer).Where(layer => whole.Contains(layer) || table.Parts.All(part => part.Layer != layer))];
            int last = whole[^1];
            rules.Add(new PlacementRule(ExpertTensors.PatternOf([.. covered.Where(layer => layer <= last)]), TensorPlacement.HostBuffer));
        }

        rules.AddRange(left.Where(layer => !whole.Contains(layer.Key)).OrderBy(layer => layer.Key)
            .Select(layer => new PlacementRule(PatternOf(layer.Key, layer), TensorPlacement.HostBuffer)));
        return rules;
    }

    // Experts that stay in the model's files are those that no rule places.
    private static IEnumerable<PlacementRule> DeviceRules(PlacementProblem problem, LayerTable table, LayerLayout layout)
    {
        for (int device = 0; device < layout.Segments.Count; device++)
        {
            DeviceSegment segment = layout.Segments[device];
            string buffer = problem.Devices[device].Buffer;
            ILookup<int, ExpertPart> placed = table.Parts.Skip(segment.FirstPart).Take(segment.EndPart - segment.FirstPart).ToLookup(part => part.Layer);
            int[] whole = WholeLayers(table, placed);
            if (whole.Length > 0)
            {
                yield return new PlacementRule(ExpertTensors.PatternOf(whole), buffer);
            }

            foreach (IGrouping<int, ExpertPart> layer in placed.Where(layer => !whole.Contains(layer.Key)))
            {
                yield return new PlacementRule(PatternOf(layer.Key, layer), buffer);
            }
        }
    }

    private static int[] WholeLayers(LayerTable table, ILookup<int, ExpertPart> parts) =>
        [.. parts.Where(layer => layer.Count() == table.Parts.Count(part => part.Layer == layer.Key)).Select(layer => layer.Key).Order()];

    private static string PatternOf(int layer, IEnumerable<ExpertPart> parts) =>
        $@"blk\.{layer}\.ffn_({string.Join('|', parts.Select(part => part.Kind))})_(ch|)exps";
}
