namespace MoeOffload.Placement;

/// <summary>Represents a distribution of layers and experts among devices, with its sizes.</summary>
internal sealed class LayerLayout
{
    private readonly LayerTable _table;

    /// <summary>Calculates the sizes of a distribution.</summary>
    public LayerLayout(PlacementProblem problem, LayerTable table, MemoryCosts costs, IReadOnlyList<DeviceSegment> segments)
    {
        _table = table;
        Segments = segments;
        FirstLayer = segments.Where(segment => segment.LayerCount > 0).Select(segment => segment.FirstLayer).DefaultIfEmpty(table.OutputLayer + 1).First();
        var memory = new List<PlannedMemory>();
        long context = 0;
        for (int device = 0; device < segments.Count; device++)
        {
            PlannedMemory use = UseOf(problem, costs, device);
            context += use.ContextBytes;
            Weight += WeightOf(segments[device]) + (use.ContextBytes * table.DenseWeight);
            memory.Add(use);
        }

        Weight += table.PinnedWeight;
        HostExpertBytes = table.HostExpertBytes + table.PartBytes(0, table.Parts.Count) - segments.Sum(segment => table.PartBytes(segment.FirstPart, segment.EndPart));
        long held = Math.Min(HostExpertBytes, problem.ExpertMemory ?? long.MaxValue);
        long weights = table.HostBytes - table.HostExpertBytes + held + table.DenseBytes.Take(FirstLayer).Sum();
        long all = costs.LayerContextBytes.Sum();
        memory.Add(new PlannedMemory(DeviceTotal.Host, weights, all - context, costs.HostComputeBytes, costs.OtherHostBytes, problem.HostBytes));
        Memory = memory;
        TotalWeight = table.Weight + (all * table.DenseWeight);
        Shortages = [.. FindShortages(problem, memory)];
        Fill = memory.Take(segments.Count).Select((use, device) => use.TotalBytes / (double)Math.Max(1, Usable(problem, problem.Devices[device].FreeBytes))).DefaultIfEmpty().Max();
    }

    /// <summary>Gets the layers and experts of each device.</summary>
    public IReadOnlyList<DeviceSegment> Segments { get; }

    /// <summary>Gets the number of the first layer that is on a device.</summary>
    public int FirstLayer { get; }

    /// <summary>Gets the memory of each device, and of the system.</summary>
    public IReadOnlyList<PlannedMemory> Memory { get; }

    /// <summary>Gets the size of the experts in system memory, before a limit applies, in bytes.</summary>
    public long HostExpertBytes { get; }

    /// <summary>Gets the weighted bytes on devices: the more a token reads from them, the faster it is.</summary>
    public long Weight { get; }

    /// <summary>Gets the weighted bytes of everything.</summary>
    public long TotalWeight { get; }

    /// <summary>Gets the memories that are too small, with the bytes that they lack.</summary>
    public IReadOnlyList<(string Device, long Bytes)> Shortages { get; }

    /// <summary>Gets the part of its memory that the fullest device uses.</summary>
    public double Fill { get; }

    /// <summary>Gets a value that indicates whether everything fits.</summary>
    public bool Fits => Shortages.Count == 0;

    /// <summary>Gets a value that indicates whether experts are in system memory while a device holds layers.</summary>
    public bool OffloadsExperts => FirstLayer <= _table.OutputLayer - 1 && HostExpertBytes > 0;

    /// <summary>Gets the memory that can be used of what is free.</summary>
    public static long Usable(PlacementProblem problem, long freeBytes) => Math.Max(0, freeBytes - problem.Margin);

    private PlannedMemory UseOf(PlacementProblem problem, MemoryCosts costs, int device)
    {
        DeviceSegment segment = Segments[device];
        long weights = _table.PinnedBytes[device] + _table.PartBytes(segment.FirstPart, segment.EndPart) + DenseOf(segment);
        bool isUsed = segment.LayerCount > 0 || _table.PinnedBytes[device] > 0;
        return new PlannedMemory(
            problem.Devices[device].Name, weights, ContextOf(problem, costs, segment), isUsed ? costs.DeviceComputeBytes[device] : 0, 0, problem.Devices[device].FreeBytes);
    }

    private long DenseOf(DeviceSegment segment)
    {
        long bytes = segment.EndLayer > _table.OutputLayer && segment.LayerCount > 0 ? _table.SharedOutputBytes : 0;
        for (int layer = segment.FirstLayer; layer < segment.EndLayer; layer++)
        {
            bytes += _table.DenseBytes[layer];
        }

        return bytes;
    }

    private static long ContextOf(PlacementProblem problem, MemoryCosts costs, DeviceSegment segment)
    {
        long bytes = 0;
        for (int layer = segment.FirstLayer; problem.Context.IsOffloaded && layer < Math.Min(segment.EndLayer, costs.LayerContextBytes.Count); layer++)
        {
            bytes += costs.LayerContextBytes[layer];
        }

        return bytes;
    }

    private long WeightOf(DeviceSegment segment) =>
        (DenseOf(segment) * _table.DenseWeight) + (_table.PartBytes(segment.FirstPart, segment.EndPart) * _table.ExpertWeight);

    /// <summary>Finds the memories that are too small.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="memory">The memory of each device, and of the system.</param>
    public static IEnumerable<(string Device, long Bytes)> FindShortages(PlacementProblem problem, IReadOnlyList<PlannedMemory> memory)
    {
        long host = memory[^1].TotalBytes;
        for (int i = 0; i < problem.Devices.Count; i++)
        {
            host += problem.Devices[i].SharesHostMemory ? memory[i].TotalBytes : 0;
            long lacking = memory[i].TotalBytes - Usable(problem, problem.Devices[i].FreeBytes);
            if (lacking > 0 && memory[i].TotalBytes > 0)
            {
                yield return (problem.Devices[i].Name, lacking);
            }
        }

        if (host > Usable(problem, problem.HostBytes))
        {
            yield return (DeviceTotal.Host, host - Usable(problem, problem.HostBytes));
        }
    }
}
