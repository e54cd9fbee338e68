using System.Runtime.InteropServices;

namespace MoeOffload.Native;

/// <summary>Specifies the priority and the processors of the threads that compute. Threads that they create on Linux inherit both.</summary>
/// <param name="IsBelowNormal"><see langword="true"/> to let other threads have a core first.</param>
/// <param name="Processors">The indexes of the logical processors to run on, or <see langword="null"/> for all.</param>
internal sealed record ThreadPlacement(bool IsBelowNormal, IReadOnlyList<int>? Processors)
{
    // The increase that .NET uses for a process whose priority is below normal.
    private const int NiceIncrease = 10;
    private const int LargestNice = 19;

    /// <summary>Gets the placement that changes nothing.</summary>
    public static ThreadPlacement Default { get; } = new(IsBelowNormal: false, Processors: null);

    /// <summary>Applies the placement to the current thread. What the system refuses has no effect.</summary>
    public void ApplyToCurrentThread()
    {
        if (IsBelowNormal)
        {
            LowerPriority();
        }

        if (Processors is not null)
        {
            Bind(Processors);
        }
    }

    private static void LowerPriority()
    {
        if (OperatingSystem.IsLinux())
        {
            // In Linux, each thread has its own nice value, although POSIX defines one for the process.
            _ = SetPriority(0, 0, Math.Min(LargestNice, GetPriority(0, 0) + NiceIncrease));
        }
        else if (OperatingSystem.IsWindows())
        {
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        }
    }

    private static void Bind(IReadOnlyList<int> processors)
    {
        const int Bits = 64;
        ulong[] mask = new ulong[(processors.Max() / Bits) + 1];
        foreach (int processor in processors)
        {
            mask[processor / Bits] |= 1UL << (processor % Bits);
        }

        if (OperatingSystem.IsLinux())
        {
            SetAffinity(mask);
        }
        else if (OperatingSystem.IsWindows())
        {
            _ = SetThreadAffinityMask(GetCurrentThread(), (nuint)mask[0]);
        }
    }

    private static unsafe void SetAffinity(ulong[] mask)
    {
        fixed (ulong* bits = mask)
        {
            _ = SetAffinity(0, (nuint)(mask.Length * sizeof(ulong)), bits);
        }
    }

    [DllImport("libc", EntryPoint = "getpriority")]
    private static extern int GetPriority(int which, int who);

    [DllImport("libc", EntryPoint = "setpriority")]
    private static extern int SetPriority(int which, int who, int priority);

    [DllImport("libc", EntryPoint = "sched_setaffinity")]
    private static extern unsafe int SetAffinity(int thread, nuint length, ulong* mask);

    [DllImport("kernel32")]
    private static extern nint GetCurrentThread();

    [DllImport("kernel32")]
    private static extern nuint SetThreadAffinityMask(nint thread, nuint mask);
}
