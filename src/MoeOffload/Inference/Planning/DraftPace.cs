namespace MoeOffload.Inference.Planning;

/// <summary>
/// Decides how many tokens are drafted for a generation: one at first, twice as many each time that all were accepted, and none for a while
/// if too many were rejected. The pause grows, so a text that cannot be predicted costs little.
/// </summary>
internal sealed class DraftPace(DraftLimits limits)
{
    // The number of draft tokens over which the acceptance rate is averaged. Older ones count less and less.
    private const int Remembered = 16;
    private const int ShortestPause = 4;
    private const int LongestPause = 64;

    private double _share = limits.MinAcceptanceRate;
    private int _length = 1;
    private int _pause;
    private int _nextPause = ShortestPause;

    /// <summary>Gets the maximum number of tokens to draft in the next step.</summary>
    public int Length => limits.MinAcceptanceRate == 0 ? limits.MaxTokens : _pause > 0 ? 0 : _length;

    /// <summary>Updates the pace with the result of a step.</summary>
    /// <param name="drafted">The number of draft tokens.</param>
    /// <param name="accepted">The number of accepted draft tokens.</param>
    public void Update(int drafted, int accepted)
    {
        if (drafted == 0)
        {
            _pause = Math.Max(0, _pause - 1);
            return;
        }

        _share += (accepted - (drafted * _share)) / Math.Max(Remembered, drafted);
        if (accepted == drafted)
        {
            _length = Math.Min(2 * _length, limits.MaxTokens);
            _nextPause = ShortestPause;
            return;
        }

        _length = Math.Max(1, accepted);
        if (_share < limits.MinAcceptanceRate)
        {
            _pause = _nextPause;
            _nextPause = Math.Min(2 * _nextPause, LongestPause);
        }
    }
}
