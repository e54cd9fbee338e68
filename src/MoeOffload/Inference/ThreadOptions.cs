using MoeOffload.Inference.Processors;
using MoeOffload.Native;

namespace MoeOffload;

/// <summary>Provides options for the CPU threads that compute: their number, their priority, and the cores that they leave free.</summary>
public sealed record ThreadOptions
{
    internal const int Most = 512;

    /// <summary>
    /// Gets the default number of threads on this machine: the number of physical cores that the process can use, without the slow cores of
    /// a hybrid processor, and at most the whole cores in the CPU quota of a container.
    /// </summary>
    public static int DefaultDecode => Math.Min(PhysicalCores.Current.Count, Most);

    /// <summary>
    /// Gets or sets the number of threads for decoding, or <see langword="null"/> for at most <see cref="DefaultDecode"/> threads, without
    /// <see cref="ReservedCores"/>. The default is <see langword="null"/>. Decoding is limited by memory bandwidth, so a second thread per
    /// core makes it slower.
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

    /// <summary>
    /// Gets or sets the priority of the threads that compute, including the session's own thread. The default is
    /// <see cref="ComputePriority.Normal"/>.
    /// </summary>
    public ComputePriority Priority { get; set; }

    /// <summary>
    /// Gets or sets the number of cores that are left to the application. The default is 0. The default number of threads is smaller by this
    /// number, but at least 1. It has no effect if <see cref="Decode"/> is set.
    /// </summary>
    public int ReservedCores { get; set; }

    /// <summary>
    /// Gets or sets the time in which the session computes at most, or <see langword="null"/> if it is not limited. The default is
    /// <see langword="null"/>.
    /// </summary>
    public ComputeBudget? Budget { get; set; }

    /// <summary>Gets the largest number of threads that decode.</summary>
    internal int DecodeCount => Decode ?? Math.Max(1, DefaultDecode - ReservedCores);

    internal void Validate()
    {
        Check(Decode, nameof(Decode));
        Check(Prompt, nameof(Prompt));
        OptionRange.CheckDefined(Priority, nameof(Priority));
        OptionRange.Check(ReservedCores, 0, Most, nameof(ReservedCores), "0 to compute on all cores");
    }

    /// <summary>Converts the options to native ones.</summary>
    /// <param name="threads">The largest number of threads.</param>
    internal ThreadPlacement Place(int threads)
    {
        PhysicalCores cores = PhysicalCores.Current;

        // More threads than there are fast cores would share them.
        return new ThreadPlacement(Priority == ComputePriority.BelowNormal, threads <= cores.Count ? cores.Processors : null);
    }

    private static void Check(int? count, string name)
    {
        if (count is < 1 or > Most)
        {
            throw new ArgumentOutOfRangeException(name, count, $"Specify 1 to {Most} threads, or null for one thread per physical core.");
        }
    }
}
