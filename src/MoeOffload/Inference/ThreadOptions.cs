using MoeOffload.Inference;

namespace MoeOffload;

/// <summary>Provides options for the number of CPU threads.</summary>
public sealed record ThreadOptions
{
    internal const int Most = 512;

    /// <summary>Gets the default value of <see cref="Decode"/> on this machine: the number of physical cores that the process can use.</summary>
    public static int DefaultDecode => Math.Min(PhysicalCores.Count, Most);

    /// <summary>
    /// Gets or sets the number of threads for decoding, or <see langword="null"/> for at most one thread per physical core that the process can
    /// use. The default is <see langword="null"/>. Decoding is limited by memory bandwidth, so a second thread per core makes it slower.
    /// </summary>
    public int? Decode { get; set; }

    /// <summary>
    /// Gets or sets the number of threads for prefill, or <see langword="null"/> for the same number as <see cref="Decode"/>. The default
    /// is <see langword="null"/>.
    /// </summary>
    public int? Prompt { get; set; }

    /// <summary>
    /// Gets or sets a value that indicates whether fewer threads compute while that is faster. The default is <see langword="true"/>. It has
    /// no effect if <see cref="Decode"/> or <see cref="Prompt"/> is set.
    /// </summary>
    /// <remarks>
    /// The threads of a computation wait for each other after each operation. If other programs use the cores, or if the model is small, fewer
    /// threads are faster, often several times. The number is measured and adjusted while the session computes;
    /// <see cref="SessionStatistics.ThreadCount"/> tells it. llama.cpp rounds differently with different numbers of threads, so a seed gives
    /// the same text each time only with a fixed number.
    /// </remarks>
    public bool Adaptive { get; set; } = true;

    internal void Validate()
    {
        Check(Decode, nameof(Decode));
        Check(Prompt, nameof(Prompt));
    }

    private static void Check(int? count, string name)
    {
        if (count is < 1 or > Most)
        {
            throw new ArgumentOutOfRangeException(name, count, $"Specify 1 to {Most} threads, or null for one thread per physical core.");
        }
    }
}
