using System.Globalization;

namespace MoeOffload.Fixtures;

/// <summary>Reads how much memory of its own a process has in RAM.</summary>
public static class ResidentMemory
{
    /// <summary>Gets the resident memory that belongs to no file, in bytes (Linux).</summary>
    public static long Of(int process)
    {
        string line = File.ReadLines($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
