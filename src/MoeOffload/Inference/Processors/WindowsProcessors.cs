using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MoeOffload.Inference.Processors;

/// <summary>Reads the processors of a machine with Windows's <c>GetSystemCpuSetInformation</c>.</summary>
internal static class WindowsProcessors
{
    /// <summary>Reads the processors, or returns an empty list if they are not described.</summary>
    [SupportedOSPlatform("windows")]
    public static unsafe IReadOnlyList<LogicalProcessor> Read()
    {
        uint length;
        _ = GetSystemCpuSetInformation(null, 0, &length, 0, 0);
        byte[] information = new byte[length];
        fixed (byte* start = information)
        {
            if (length == 0 || GetSystemCpuSetInformation(start, length, &length, 0, 0) == 0)
            {
                return [];
            }
        }

        using var process = Process.GetCurrentProcess();
        return Parse(information.AsSpan(0, (int)length), (ulong)process.ProcessorAffinity);
    }

    /// <summary>Parses an array of <c>SYSTEM_CPU_SET_INFORMATION</c>.</summary>
    /// <param name="information">The array, whose elements contain their own size.</param>
    /// <param name="affinity">The processors that the process can use, a bit for each.</param>
    /// <returns>The processors, or an empty list if the machine has several groups of processors, to which an affinity does not apply.</returns>
    internal static IReadOnlyList<LogicalProcessor> Parse(ReadOnlySpan<byte> information, ulong affinity)
    {
        List<(int Index, int Core, int Efficiency)> found = [];
        while (information.Length >= 20)
        {
            int size = BinaryPrimitives.ReadInt32LittleEndian(information);
            if (size < 20 || size > information.Length)
            {
                break;
            }

            int type = BinaryPrimitives.ReadInt32LittleEndian(information[4..]);
            int group = BinaryPrimitives.ReadUInt16LittleEndian(information[12..]);
            int index = information[14];
            if (type == 0 && group > 0)
            {
                return [];
            }

            if (type == 0 && index < 64 && ((affinity >> index) & 1) != 0)
            {
                found.Add((index, information[15], information[18]));
            }

            information = information[size..];
        }

        // A higher class is faster.
        int fastest = found.Count == 0 ? 0 : found.Max(static processor => processor.Efficiency);
        return
        [
            .. found.Select(processor => new LogicalProcessor(
                processor.Index, processor.Core.ToString(CultureInfo.InvariantCulture), processor.Efficiency == fastest)),
        ];
    }

    [DllImport("kernel32")]
    private static extern unsafe int GetSystemCpuSetInformation(byte* information, uint length, uint* returnedLength, nint process, uint flags);
}
