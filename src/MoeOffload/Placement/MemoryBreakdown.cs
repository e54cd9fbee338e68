using System.Globalization;
using MoeOffload.Placement;

namespace MoeOffload;

/// <summary>Represents the memory that a model and its context use on each device, as llama.cpp counts it.</summary>
public sealed class MemoryBreakdown
{
    internal MemoryBreakdown(IReadOnlyList<MemoryUse> buffers, int contextLength)
    {
        ContextLength = contextLength;
        Buffers =
        [
            .. buffers.GroupBy(buffer => (buffer.Buffer, buffer.Device, buffer.IsHost))
                .Select(group => Sum(group.Key.Buffer, group.Key.Device, group.Key.IsHost, group))
                .OrderBy(buffer => buffer.IsHost)
                .ThenBy(buffer => buffer.Buffer, StringComparer.Ordinal),
        ];
        Devices =
        [
            .. Buffers.GroupBy(buffer => (Device: buffer.IsHost ? DeviceTotal.Host : buffer.Device, buffer.IsHost))
                .Select(group => Sum(group.Key.Device, group.Key.Device, group.Key.IsHost, group)),
        ];
        Total = Sum("all", "all", false, Buffers);
    }

    /// <summary>Gets the length of the context, in tokens, over all sequences: the length that was set, or the default that was chosen.</summary>
    public int ContextLength { get; }

    /// <summary>Gets the memory use of each buffer type. Those in a device's own memory come first.</summary>
    public IReadOnlyList<MemoryUse> Buffers { get; }

    /// <summary>Gets the memory use of each device. All system memory counts as one device, which comes last.</summary>
    public IReadOnlyList<MemoryUse> Devices { get; }

    /// <summary>Gets the memory use of all devices together.</summary>
    public MemoryUse Total { get; }

    /// <summary>Writes a table of the devices and their buffers, with sizes in MiB.</summary>
    /// <param name="writer">The writer that receives the table.</param>
    public void WriteTo(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var table = new TextTable("memory [MiB]", ">total", ">weights", ">context", ">compute");
        foreach (var device in Devices)
        {
            AddRow(table, device.Device, device);
            foreach (var buffer in Buffers.Where(buffer =>
                buffer.IsHost == device.IsHost && (buffer.IsHost || buffer.Device == device.Device)))
            {
                AddRow(table, "  " + buffer.Buffer, buffer);
            }
        }

        AddRow(table, "all", Total);
        table.WriteTo(writer);
    }

    /// <summary>Returns the table that <see cref="WriteTo"/> writes.</summary>
    public override string ToString()
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        WriteTo(writer);
        return writer.ToString();
    }

    private static MemoryUse Sum(string buffer, string device, bool isHost, IEnumerable<MemoryUse> uses) => uses.Aggregate(
        new MemoryUse(buffer, device, isHost, 0, 0, 0),
        (sum, use) => sum with
        {
            WeightBytes = sum.WeightBytes + use.WeightBytes,
            ContextBytes = sum.ContextBytes + use.ContextBytes,
            ComputeBytes = sum.ComputeBytes + use.ComputeBytes,
        });

    private static void AddRow(TextTable table, string name, MemoryUse use) => table.Add(
        name,
        TextTable.Mebibytes(use.TotalBytes),
        TextTable.Mebibytes(use.WeightBytes),
        TextTable.Mebibytes(use.ContextBytes),
        TextTable.Mebibytes(use.ComputeBytes));
}
