using System.Diagnostics;
using System.Globalization;

namespace MoeOffload.Measurement.Machine;

/// <summary>What the system says of a process's memory.</summary>
/// <param name="id">The process.</param>
internal sealed class ProcessMemory(int id)
{
    private readonly string _directory = $"/proc/{id.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Bytes of its pages that are in memory, those of mapped files included.</summary>
    public long ReadResident()
    {
        if (OperatingSystem.IsLinux())
        {
            return ReadKibibytes("status", "VmRSS") ?? 0;
        }

        using var process = Process.GetProcessById(id);
        return process.WorkingSet64;
    }

    /// <summary>The same with each page divided by the number of processes that share it (PSS); null where the system does not count so.</summary>
    public long? ReadProportional() => OperatingSystem.IsLinux() ? ReadKibibytes("smaps_rollup", "Pss") : null;

    /// <summary>The most that was resident since <see cref="ResetPeak"/>; null where the system does not say.</summary>
    public long? ReadPeakResident() => OperatingSystem.IsLinux() ? ReadKibibytes("status", "VmHWM") : null;

    /// <summary>Has the peak begin anew; man 5 proc, clear_refs. Where it may not, the peak is that of the process's whole life.</summary>
    public void ResetPeak()
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                File.WriteAllText(Path.Combine(_directory, "clear_refs"), "5");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A process of another user.
        }
    }

    /// <summary>Bytes of a field of man 5 proc's <c>NAME: NUMBER kB</c>; null where there is none.</summary>
    public static long? FindKibibytes(IEnumerable<string> lines, string name)
    {
        // Before a large number there is a tab and no space.
        string? line = lines.FirstOrDefault(line => line.StartsWith($"{name}:", StringComparison.Ordinal));
        return line?[(name.Length + 1)..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [var number, ..]
            ? 1024 * long.Parse(number, CultureInfo.InvariantCulture)
            : null;
    }

    private long? ReadKibibytes(string file, string name)
    {
        try
        {
            return FindKibibytes(File.ReadLines(Path.Combine(_directory, file)), name);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
