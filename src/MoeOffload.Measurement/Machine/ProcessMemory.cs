using System.Diagnostics;
using System.Globalization;

namespace MoeOffload.Measurement.Machine;

/// <summary>Reads the memory of a process from the system.</summary>
/// <param name="id">The identifier of the process.</param>
internal sealed class ProcessMemory(int id)
{
    private readonly string _directory = $"/proc/{id.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Gets the resident memory in bytes, including mapped files.</summary>
    public long ReadResident()
    {
        if (OperatingSystem.IsLinux())
        {
            return ReadKibibytes("status", "VmRSS") ?? 0;
        }

        using var process = Process.GetProcessById(id);
        return process.WorkingSet64;
    }

    /// <summary>Gets the proportional set size (PSS) in bytes, which divides each page by the number of processes that share it; null if the system does not report it.</summary>
    public long? ReadProportional() => OperatingSystem.IsLinux() ? ReadKibibytes("smaps_rollup", "Pss") : null;

    /// <summary>Gets the maximum resident memory since <see cref="ResetPeak"/>, in bytes; null if the system does not report it.</summary>
    public long? ReadPeakResident() => OperatingSystem.IsLinux() ? ReadKibibytes("status", "VmHWM") : null;

    /// <summary>Resets the peak; see clear_refs in man 5 proc. If that is not allowed, the peak covers the lifetime of the process.</summary>
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
            // The process belongs to another user.
        }
    }

    /// <summary>Reads a field in the format <c>NAME: NUMBER kB</c> of man 5 proc, in bytes; null if there is none.</summary>
    public static long? FindKibibytes(IEnumerable<string> lines, string name)
    {
        // Before a large number, there is a tab instead of spaces.
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
