namespace MoeOffload;

/// <summary>Represents the time in which a session computes at most, as a part of a period such as a frame.</summary>
/// <remarks>
/// While a session computes, each of its threads uses a core, so the budget limits the use of each of these cores. A step of a computation is
/// not interrupted: if a step takes longer than <see cref="Time"/>, the session pauses longer, so that the budget is kept over a longer time.
/// A token is at least one step. Long prompts are computed in parts of at least four tokens that fit into the budget.
/// </remarks>
public sealed record ComputeBudget
{
    private static readonly TimeSpan s_longestPeriod = TimeSpan.FromMinutes(1);

    // Short enough for a smooth stream, and longer than a timer of Windows is inaccurate.
    private static readonly TimeSpan s_sharedPeriod = TimeSpan.FromMilliseconds(20);

    /// <summary>Initializes a new instance of the <see cref="ComputeBudget"/> record.</summary>
    /// <param name="time">The time in which to compute at most in each period.</param>
    /// <param name="period">The period, for example the duration of a frame, from 1 millisecond to 1 minute.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The period is out of range, or the time is not positive or longer than the period.
    /// </exception>
    public ComputeBudget(TimeSpan time, TimeSpan period)
    {
        if (period < TimeSpan.FromMilliseconds(1) || period > s_longestPeriod)
        {
            throw new ArgumentOutOfRangeException(nameof(period), period, "Specify a period from 1 millisecond to 1 minute.");
        }

        if (time <= TimeSpan.Zero || time > period)
        {
            throw new ArgumentOutOfRangeException(nameof(time), time, "Specify a time that is positive and not longer than the period.");
        }

        Time = time;
        Period = period;
    }

    /// <summary>Gets the time in which to compute at most in each period.</summary>
    public TimeSpan Time { get; }

    /// <summary>Gets the period.</summary>
    public TimeSpan Period { get; }

    /// <summary>Creates a budget from a share of the time. The period is 20 milliseconds.</summary>
    /// <param name="share">The share, which is greater than 0 and at most 1: 0.25 computes in a quarter of the time.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is out of range, or is not a number.</exception>
    public static ComputeBudget FromShare(double share) =>
        s_sharedPeriod * (share is > 0 and <= 1 ? share : 0) is var time && time > TimeSpan.Zero
            ? new ComputeBudget(time, s_sharedPeriod)
            : throw new ArgumentOutOfRangeException(nameof(share), share, "Specify a share that is greater than 0 and at most 1.");
}
