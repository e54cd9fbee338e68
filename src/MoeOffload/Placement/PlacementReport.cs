using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Represents the actual placement of a loaded model's tensors, read back from the model after it was loaded.</summary>
public sealed class PlacementReport
{
    /// <summary>Initializes a new instance of the <see cref="PlacementReport"/> class.</summary>
    /// <param name="placement">The placement that was requested.</param>
    /// <param name="tensors">The location of each tensor.</param>
    /// <exception cref="ArgumentOutOfRangeException">A tensor refers to a rule that the placement does not contain.</exception>
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

    /// <summary>Gets the location of each tensor.</summary>
    public IReadOnlyList<TensorLocation> Tensors { get; }

    /// <summary>Gets the outcome of each placement rule, in the rules' order, including rules that apply to no tensor.</summary>
    public IReadOnlyList<RuleOutcome> Rules { get; }

    /// <summary>
    /// Gets a value that indicates whether experts are in system memory while a device holds layers. Each batch of a prompt then copies the
    /// experts that it uses to the device.
    /// </summary>
    internal bool KeepsExpertsBesideDevice =>
        Tensors.Any(tensor => tensor.IsExpert && tensor.IsHost) && Tensors.Any(tensor => tensor.Layer is not null && !tensor.IsHost);

    /// <summary>Gets the weights in each buffer type. Buffer types in a device's own memory come first.</summary>
    public IReadOnlyList<BufferTotal> Buffers { get; }

    /// <summary>Gets the weights on each device. All system memory counts as one device, which comes last.</summary>
    public IReadOnlyList<DeviceTotal> Devices { get; }

    /// <summary>Gets the number of the model's tensors.</summary>
    public int TensorCount => Tensors.Count;

    /// <summary>Gets the size of all tensors, in bytes.</summary>
    public long Bytes => Devices.Sum(device => device.Bytes);

    /// <summary>Gets the number of tensors that hold experts.</summary>
    public int ExpertTensorCount => Devices.Sum(device => device.ExpertTensorCount);

    /// <summary>Gets the size of the tensors that hold experts, in bytes.</summary>
    public long ExpertBytes => Devices.Sum(device => device.ExpertBytes);

    /// <summary>Writes a table of the buffers, and one of the rules if there are any, with sizes in MiB.</summary>
    /// <param name="writer">The writer that receives the tables.</param>
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

    /// <summary>Returns the tables that <see cref="WriteTo"/> writes.</summary>
    public override string ToString()
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        WriteTo(writer);
        return writer.ToString();
    }
}
