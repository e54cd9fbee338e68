namespace MoeOffload.Placement;

/// <summary>Finds the best distribution of layers and experts among devices, within what the user has decided.</summary>
/// <remarks>
/// Layers are on devices from a first one to the last, in llama.cpp's order, and each device holds the experts of its own layers, late ones
/// first, as far as they fit. For every first layer, dynamic programming over the devices finds the boundaries with the greatest weight on
/// devices; among equal ones, those that fill the fullest device least.
/// </remarks>
internal sealed class LayoutSearch
{
    private readonly PlacementProblem _problem;
    private readonly LayerTable _table;
    private readonly MemoryCosts _costs;
    private readonly long[] _dense;
    private readonly long[] _context;

    public LayoutSearch(PlacementProblem problem, LayerTable table, MemoryCosts costs)
    {
        (_problem, _table, _costs) = (problem, table, costs);
        _dense = Sums(table.DenseBytes);
        _context = Sums([.. costs.LayerContextBytes, 0]);
    }

    /// <summary>Finds the best distribution that is accepted: one that fits if there is one, or otherwise one that lacks little.</summary>
    /// <param name="accepts">Determines whether a distribution agrees with the costs.</param>
    public LayerLayout? Find(Predicate<LayerLayout> accepts)
    {
        LayerLayout? best = null;
        foreach (LayerLayout layout in Candidates())
        {
            if (accepts(layout) && (best is null || IsBetter(layout, best)))
            {
                best = layout;
            }
        }

        return best;
    }

    /// <summary>Determines whether a distribution is better than another.</summary>
    public static bool IsBetter(LayerLayout one, LayerLayout other)
    {
        if (one.Fits != other.Fits)
        {
            return one.Fits;
        }

        if (!one.Fits)
        {
            return one.Shortages.Sum(shortage => shortage.Bytes) < other.Shortages.Sum(shortage => shortage.Bytes);
        }

        return one.Weight > other.Weight || (one.Weight == other.Weight && one.Fill < other.Fill);
    }

    private IEnumerable<LayerLayout> Candidates()
    {
        int end = _table.OutputLayer + 1;
        if (_problem.Devices.Count == 0)
        {
            return [LayoutOf([])];
        }

        int[] firsts = _problem.GpuLayers is { } count ? [Math.Max(0, end - count)] : [.. Enumerable.Range(0, end + 1)];
        if (_problem.TensorSplit is { } shares)
        {
            return firsts.Select(first => LayoutOf(BoundariesOf(first, end, shares)));
        }

        Choice[][] fastest = Solve(_table.DenseWeight, _table.ExpertWeight);
        Choice[][] fullest = Solve(1, 1);
        return firsts.SelectMany(first => new[]
        {
            fastest[0][first].IsPossible ? LayoutOf(Trace(fastest, first)) : null,
            fullest[0][first].IsPossible ? LayoutOf(Trace(fullest, first)) : null,
            fastest[0][first].IsPossible ? null : LayoutOf(BoundariesOf(first, end, Rooms())),
        }).OfType<LayerLayout>();
    }

    // The best choice for each device and each first layer of it and the devices after it.
    private Choice[][] Solve(long denseWeight, long expertWeight)
    {
        int end = _table.OutputLayer + 1;
        int devices = _problem.Devices.Count;
        var choices = new Choice[devices + 1][];
        choices[devices] = new Choice[end + 1];
        choices[devices][end] = new Choice(true, 0, 0, end);
        for (int device = devices - 1; device >= 0; device--)
        {
            choices[device] = new Choice[end + 1];
            for (int first = end; first >= 0; first--)
            {
                for (int next = first; next <= end; next++)
                {
                    Choice rest = choices[device + 1][next];
                    if (rest.IsPossible && TryFill(device, first, next, out DeviceSegment segment, out long used))
                    {
                        long weight = rest.Weight + ((_dense[next] - _dense[first] + ContextOf(first, next)) * denseWeight)
                            + (_table.PartBytes(segment.FirstPart, segment.EndPart) * expertWeight);
                        double fill = Math.Max(rest.Fill, used / (double)Math.Max(1, Room(device)));
                        Choice best = choices[device][first];
                        if (!best.IsPossible || weight > best.Weight || (weight == best.Weight && fill < best.Fill))
                        {
                            choices[device][first] = new Choice(true, weight, fill, next);
                        }
                    }
                }
            }
        }

        return choices;
    }

    private static int[] Trace(Choice[][] choices, int first)
    {
        var boundaries = new int[choices.Length];
        boundaries[0] = first;
        for (int device = 0; device + 1 < choices.Length; device++)
        {
            boundaries[device + 1] = choices[device][boundaries[device]].Next;
        }

        return boundaries;
    }

    // llama.cpp's own rule: a layer belongs to the first device whose sum of shares exceeds the layer's position.
    private int[] BoundariesOf(int first, int end, IReadOnlyList<float> shares)
    {
        int devices = _problem.Devices.Count;
        var sums = new float[devices];
        float sum = 0;
        for (int i = 0; i < devices; i++)
        {
            sum += i < shares.Count ? shares[i] : 0;
            sums[i] = sum;
        }

        var boundaries = new int[devices + 1];
        boundaries[0] = first;
        for (int device = 0; device < devices; device++)
        {
            int layer = boundaries[device];
            while (layer < end && (float)(layer - first) / (end - first) < sums[device] / sum)
            {
                layer++;
            }

            boundaries[device + 1] = device == devices - 1 ? end : layer;
        }

        return boundaries;
    }

    private LayerLayout LayoutOf(int[] boundaries)
    {
        var segments = new DeviceSegment[_problem.Devices.Count];
        for (int device = 0; device < segments.Length; device++)
        {
            TryFill(device, boundaries[device], boundaries[device + 1], out segments[device], out _);
        }

        return new LayerLayout(_problem, _table, _costs, segments);
    }

    // Puts the experts of a device's layers on it, as far as they fit. Returns false if not even the rest of the layers fits.
    private bool TryFill(int device, int first, int next, out DeviceSegment segment, out long used)
    {
        int from = _table.PartsFrom(next);
        segment = new DeviceSegment(first, next, from, from);
        used = _table.PinnedBytes[device];
        if (first == next)
        {
            used += used > 0 ? _costs.DeviceComputeBytes[device] : 0;
            return used == 0 || used <= Room(device);
        }

        used += _costs.DeviceComputeBytes[device] + _dense[next] - _dense[first] + ContextOf(first, next)
            + (next > _table.OutputLayer ? _table.SharedOutputBytes : 0);
        long room = Room(device) - used;
        if (room < 0)
        {
            return false;
        }

        segment = segment with { EndPart = _table.LastFitting(from, _table.PartsFrom(first), room) };
        used += _table.PartBytes(from, segment.EndPart);
        return true;
    }

    private long ContextOf(int first, int next) => _problem.Context.IsOffloaded ? _context[next] - _context[first] : 0;

    private float[] Rooms() => [.. Enumerable.Range(0, _problem.Devices.Count).Select(device => (float)Math.Max(1, Room(device)))];

    private long Room(int device) => LayerLayout.Usable(_problem, _problem.Devices[device].FreeBytes);

    private static long[] Sums(long[] values)
    {
        var sums = new long[values.Length + 1];
        for (int i = 0; i < values.Length; i++)
        {
            sums[i + 1] = sums[i] + values[i];
        }

        return sums;
    }

    private readonly record struct Choice(bool IsPossible, long Weight, double Fill, int Next);
}
