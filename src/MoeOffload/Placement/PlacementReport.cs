using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Where a loaded model's tensors truly are, read back from the model after the load.</summary>
public sealed class PlacementReport
{
    /// <summary>Sums up where tensors are.</summary>
    /// <param name="placement">The placement that was asked for.</param>
    /// <param name="tensors">Where each tensor is.</param>
    /// <exception cref="ArgumentOutOfRangeException">A tensor names a rule that the placement lacks.</exception>
    internal PlacementReport(TensorPlacement placement, IReadOnlyList<TensorLocation> tensors)
    {
        Tensors = tensors;
        Buffers =
        [
            .. tensors.GroupBy(tensor => (tensor.Buffer, tensor.Device, tensor.IsHost))
                .Select(group => new BufferTotal(
                    group.Key.Buffer,
                    group.Key.Device,
                    group.Key.IsHost,
                    group.Count(),
                    group.Sum(tensor => tensor.Bytes),
                    group.Count(tensor => tensor.IsExpert),
                    group.Where(tensor => tensor.IsExpert).Sum(tensor => tensor.Bytes)))
                .OrderBy(buffer => buffer.IsHost)
                .ThenBy(buffer => buffer.Buffer, StringComparer.Ordinal),
        ];
        Devices =
        [
            .. Buffers.GroupBy(buffer => buffer.IsHost ? DeviceTotal.Host : buffer.Device)
                .Select(group => new DeviceTotal(
                    group.Key,
                    group.Sum(buffer => buffer.TensorCount),
                    group.Sum(buffer => buffer.Bytes),
                    group.Sum(buffer => buffer.ExpertTensorCount),
                    group.Sum(buffer => buffer.ExpertBytes))),
        ];

        var counts = new (int Tensors, long Bytes)[placement.Rules.Count];
        foreach (var tensor in tensors)
        {
            if (tensor.Rule is { } rule)
            {
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)rule, (uint)counts.Length, nameof(tensors));
                counts[rule] = (counts[rule].Tensors + 1, counts[rule].Bytes + tensor.Bytes);
            }
        }

        Rules = [.. placement.Rules.Select((rule, index) => new RuleOutcome(rule, counts[index].Tensors, counts[index].Bytes))];
    }

    /// <summary>Where each tensor is.</summary>
    public IReadOnlyList<TensorLocation> Tensors { get; }

    /// <summary>What each placement rule did, in the rules' order; one that decided about no tensor is there with 0.</summary>
    public IReadOnlyList<RuleOutcome> Rules { get; }

    /// <summary>
    /// Gets whether experts lie in system memory while a device holds layers: each batch of a prompt then moves the experts that it uses.
    /// </summary>
    internal bool KeepsExpertsBesideDevice =>
        Tensors.Any(tensor => tensor.IsExpert && tensor.IsHost) && Tensors.Any(tensor => tensor.Layer is not null && !tensor.IsHost);

    /// <summary>The weights per buffer type, those in devices' own memory first.</summary>
    public IReadOnlyList<BufferTotal> Buffers { get; }

    /// <summary>The weights per device, all system memory counted as one, last.</summary>
    public IReadOnlyList<DeviceTotal> Devices { get; }

    /// <summary>How many tensors the model has.</summary>
    public int TensorCount => Tensors.Count;

    /// <summary>The size of all tensors in bytes.</summary>
    public long Bytes => Devices.Sum(device => device.Bytes);

    /// <summary>How many tensors hold experts.</summary>
    public int ExpertTensorCount => Devices.Sum(device => device.ExpertTensorCount);

    /// <summary>The size of the experts' tensors in bytes.</summary>
    public long ExpertBytes => Devices.Sum(device => device.ExpertBytes);

    /// <summary>Writes a table of buffers, then one of rules, sizes in MiB.</summary>
    public void WriteTo(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var buffers = new TextTable("buffer", "memory of", ">tensors", ">MiB", ">experts", ">MiB");
        foreach (var buffer in Buffers)
        {
            buffers.Add(
                buffer.Buffer,
                buffer.IsHost ? DeviceTotal.Host : buffer.Device,
                TextTable.Count(buffer.TensorCount),
                TextTable.Mebibytes(buffer.Bytes),
                TextTable.Count(buffer.ExpertTensorCount),
                TextTable.Mebibytes(buffer.ExpertBytes));
        }

        buffers.Add(
            "all",
            "",
            TextTable.Count(TensorCount),
            TextTable.Mebibytes(Bytes),
            TextTable.Count(ExpertTensorCount),
            TextTable.Mebibytes(ExpertBytes));
        buffers.WriteTo(writer);
        if (Rules.Count == 0)
        {
            return;
        }

        writer.WriteLine();
        var rules = new TextTable("rule", ">tensors", ">MiB");
        foreach (var rule in Rules)
        {
            rules.Add(
                $"{rule.Rule.Pattern}={rule.Rule.Buffer}",
                TextTable.Count(rule.TensorCount),
                TextTable.Mebibytes(rule.Bytes));
        }

        rules.WriteTo(writer);
    }

    /// <summary>The tables that <see cref="WriteTo"/> writes.</summary>
    public override string ToString()
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        WriteTo(writer);
        return writer.ToString();
    }
}
