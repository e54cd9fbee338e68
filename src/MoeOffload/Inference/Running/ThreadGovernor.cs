using System.Diagnostics;
using System.Numerics;

namespace MoeOffload.Inference.Running;

/// <summary>
/// Chooses the number of threads that compute a step. It measures what a token costs with the current number, tries fewer and more from
/// time to time, and keeps what is fastest. It never uses more threads than there are cores that other programs leave.
/// </summary>
/// <remarks>
/// Threads of a computation wait for each other after each operation. If another program takes one of their cores, all of them wait for
/// the thread that lost it, so that one thread less is faster by far. For small models, waiting costs more than a second thread gains even
/// on an idle machine. Steps with different numbers of tokens are measured separately, in powers of two. Large steps, which prompts have, gain
/// from each core and are few: they use all that is left. They try fewer only if they have become slower, and more from time to time.
/// </remarks>
internal sealed class ThreadGovernor
{
    // A window is long enough to contain several time slices of the operating system, or one long step.
    private static readonly long s_window = Ticks(0.06);
    private static readonly long s_longWindow = Ticks(0.24);
    private static readonly long s_shortestPause = Ticks(0.1);
    private static readonly long s_longestPause = Ticks(6);
    private const int WindowSteps = 4;

    // Steps with at least so many tokens, as a power of two, are large.
    private const int LargePower = 5;

    // A change must gain so much, or cost so much, to matter.
    private const double Gain = 0.95;
    private const double Loss = 1.5;

    // A trial that is so much slower ends early.
    private const int TrialSteps = 3;
    private const double Hopeless = 2;

    private readonly int _most;
    private readonly Track?[] _tracks = new Track?[33];
    private int _limit;

    /// <summary>Creates a governor that begins with the largest number of threads.</summary>
    /// <param name="most">The largest number of threads.</param>
    public ThreadGovernor(int most) => _limit = _most = most;

    /// <summary>Gets the number of threads to compute a step with.</summary>
    /// <param name="tokens">The number of tokens in the step.</param>
    public int Choose(int tokens) => Find(tokens).Current;

    /// <summary>Limits the number of threads to the cores that other programs leave.</summary>
    /// <param name="cores">The number of cores.</param>
    /// <param name="now">The current timestamp.</param>
    public void Limit(double cores, long now)
    {
        int limit = Math.Clamp((int)Math.Ceiling(cores - 0.5), 1, _most);
        if (limit == _limit)
        {
            return;
        }

        foreach (Track? track in _tracks)
        {
            track?.OnLimit(limit, isHigher: limit > _limit, now);
        }

        _limit = limit;
    }

    /// <summary>Records a step that was computed with the chosen number of threads.</summary>
    /// <param name="tokens">The number of tokens in the step.</param>
    /// <param name="duration">The duration of the computation, in timestamp ticks.</param>
    /// <param name="now">The current timestamp.</param>
    public void OnStep(int tokens, long duration, long now) => Find(tokens).OnStep(tokens, duration, now, _limit);

    private static long Ticks(double seconds) => (long)(seconds * Stopwatch.Frequency);

    private Track Find(int tokens)
    {
        int power = BitOperations.Log2((uint)tokens);
        return _tracks[power] ??= new Track(_limit, isLarge: power >= LargePower);
    }

    /// <summary>Represents what is known of steps of one size.</summary>
    private sealed class Track(int count, bool isLarge)
    {
        private int _count = count;
        private int? _trial;
        private bool _isUp;
        private double _cost;
        private long _pause = s_shortestPause;
        private long _nextTrial = isLarge ? long.MaxValue : 0;
        private int _steps;
        private long _tokens;
        private long _ticks;

        public int Current => _trial ?? _count;

        public void OnLimit(int limit, bool isHigher, long now)
        {
            if (_trial > limit)
            {
                _trial = null;
                Clear();
            }

            if (_count > limit || isLarge)
            {
                _count = limit;
                _cost = 0;
                Clear();
            }

            _isUp = isHigher;
            _pause = s_shortestPause;
            Schedule(now, limit);
        }

        public void OnStep(int tokens, long duration, long now, int limit)
        {
            _steps++;
            _tokens += tokens;
            _ticks += duration;
            double cost = _ticks / (double)_tokens;
            if (_trial is null)
            {
                if (IsWindowFull)
                {
                    Hold(cost, now, limit);
                }
            }
            else if ((_steps >= TrialSteps && cost > Hopeless * _cost) || IsWindowFull)
            {
                Judge(cost, now, limit);
            }
        }

        private bool IsWindowFull => _ticks >= s_longWindow || (_ticks >= s_window && _steps >= WindowSteps);

        private void Hold(double cost, long now, int limit)
        {
            if (_cost > 0 && cost > Loss * _cost)
            {
                // Something has changed.
                _pause = s_shortestPause;
                _nextTrial = now;
                _isUp = false;
            }

            _cost = cost;
            Clear();
            if (now >= _nextTrial && Neighbor(limit) is { } neighbor)
            {
                _trial = neighbor;
            }
        }

        // Large steps that use all cores have nothing to try.
        private void Schedule(long time, int limit) => _nextTrial = isLarge && _count >= limit ? long.MaxValue : time;

        private void Judge(double cost, long now, int limit)
        {
            if (cost < Gain * _cost)
            {
                _count = _trial!.Value;
                _cost = cost;
                _pause = s_shortestPause;
            }
            else
            {
                _isUp = !_isUp;
                _pause = Math.Min(2 * _pause, s_longestPause);
            }

            _trial = null;
            _isUp |= isLarge;
            Schedule(now + _pause, limit);
            Clear();
        }

        // A quarter fewer or more: with many cores, one of them makes no difference that can be measured.
        private int? Neighbor(int limit)
        {
            int step = Math.Max(1, _count / 4);
            int up = Math.Min(_count + step, limit);
            int down = Math.Max(_count - step, 1);
            int neighbor = _isUp ? up : down;
            if (neighbor == _count)
            {
                _isUp = !_isUp;
                neighbor = _isUp ? up : down;
            }

            return neighbor == _count ? null : neighbor;
        }

        private void Clear()
        {
            _steps = 0;
            _tokens = 0;
            _ticks = 0;
        }
    }
}
