using MoeOffload.Inference;

namespace MoeOffload;

/// <summary>How many CPU threads compute.</summary>
public sealed record ThreadOptions
{
    internal const int Most = 512;

    /// <summary>What <see cref="Decode"/> is by default on this machine: the physical cores that the process may use.</summary>
    public static int UsualDecode => Math.Min(PhysicalCores.Count, Most);

    /// <summary>
    /// Threads that generate. Default: one for each physical core that the process may use. Generation waits for memory, so a second
    /// thread on the same core slows it down.
    /// </summary>
    public int? Decode { get; set; }

    /// <summary>Threads that process prompts. Default: as <see cref="Decode"/>.</summary>
    public int? Prompt { get; set; }

    internal void Validate()
    {
        Check(Decode, nameof(Decode));
        Check(Prompt, nameof(Prompt));
    }

    private static void Check(int? count, string name)
    {
        if (count is < 1 or > Most)
        {
            throw new ArgumentOutOfRangeException(name, count, $"Use 1 to {Most} threads; null takes the physical cores.");
        }
    }
}
