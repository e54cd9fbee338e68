using System.Diagnostics;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Decides when a step can begin so that the computation stays within a budget, and how many tokens of a prompt a step can compute. It does
/// not read a clock.
/// </summary>
/// <remarks>
/// A window begins with a step, and lasts for the period of the budget. Steps run while they fit into its time. If they use more, the window is
/// prolonged in proportion. So the share of the time is never exceeded over complete windows, whatever a step takes.
/// </remarks>
internal sealed class BudgetAccount
{
    private const int FewestTokens = 4;
    private const int FirstTokens = 16;

    private readonly long _time;
    private readonly long _period;
    private readonly int _mostTokens;
    private long _start;
    private long _used;
    private long _expected;
    private int _fitting;

    /// <summary>Creates an account that has used nothing.</summary>
    /// <param name="budget">The budget.</param>
    /// <param name="mostTokens">The largest number of tokens in a step.</param>
    public BudgetAccount(ComputeBudget budget, int mostTokens)
    {
        _time = Math.Max(1, Ticks(budget.Time));
        _period = Math.Max(1, Ticks(budget.Period));
        _mostTokens = mostTokens;
        _fitting = Math.Min(FirstTokens, mostTokens);
    }

    /// <summary>Creates an account for a context, or returns null if it has no budget.</summary>
    public static BudgetAccount? For(ContextParameters parameters) =>
        parameters.Options.Threads.Budget is { } budget ? new BudgetAccount(budget, parameters.BatchSize) : null;

    /// <summary>Returns the time to wait before the next step, or <see cref="TimeSpan.Zero"/> if it can begin.</summary>
    /// <param name="now">The current timestamp.</param>
    public TimeSpan FindPause(long now)
    {
        long end = End;
        return now >= end || _used + Math.Min(_expected, _time) <= _time
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds((end - now) / (double)Stopwatch.Frequency);
    }

    /// <summary>Returns the number of tokens of prompts that the next step can compute.</summary>
    /// <param name="now">The current timestamp.</param>
    public int CountPromptTokens(long now)
    {
        double left = now >= End ? 1 : Math.Max(0, _time - _used) / (double)_time;
        return Math.Clamp((int)(_fitting * left), Math.Min(FewestTokens, _mostTokens), _mostTokens);
    }

    /// <summary>Records a step.</summary>
    /// <param name="start">The timestamp at which it began.</param>
    /// <param name="duration">Its duration, in timestamp ticks.</param>
    /// <param name="tokens">The number of tokens that it computed.</param>
    public void OnStep(long start, long duration, int tokens)
    {
        if (start >= End)
        {
            _start = start;
            _used = 0;
        }

        duration = Math.Max(1, duration);
        _used += duration;
        _expected = duration;
        double fitting = tokens * Math.Min(2, _time / (double)duration);
        if (duration > _time)
        {
            _fitting = (int)Math.Clamp(fitting, 1, _fitting);
        }
        else if (fitting > _fitting)
        {
            _fitting = (int)Math.Min(fitting, _mostTokens);
        }
    }

    // The end of the current window. Without a step, there is none.
    private long End => _used == 0 ? long.MinValue : _start + (long)Math.Max(_period, _used * (_period / (double)_time));

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);
}
