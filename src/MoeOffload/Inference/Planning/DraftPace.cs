namespace MoeOffload.Inference.Planning;

/// <summary>
/// Decides how far ahead one generation is drafted: one token at first, twice as many each time that all were accepted, and none for a
/// while if too many were not. The pause grows, so that a text that cannot be guessed costs little.
/// </summary>
internal sealed class DraftPace(DraftLimits limits)
{
    // Drafted tokens over which the share of accepted ones is taken; older ones fade.
    private const int Remembered = 16;
    private const int ShortestPause = 4;
    private const int LongestPause = 64;

    private double _share = limits.LeastAcceptance;
    private int _length = 1;
    private int _pause;
    private int _nextPause = ShortestPause;

    /// <summary>Gets the most tokens to draft in the next step.</summary>
    public int Length => limits.LeastAcceptance == 0 ? limits.MaxTokens : _pause > 0 ? 0 : _length;

    /// <summary>Takes what became of a step.</summary>
    /// <param name="drafted">How many tokens were drafted.</param>
    /// <param name="accepted">How many of them were accepted.</param>
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
        if (_share < limits.LeastAcceptance)
        {
            _pause = _nextPause;
            _nextPause = Math.Min(2 * _nextPause, LongestPause);
        }
    }
}
