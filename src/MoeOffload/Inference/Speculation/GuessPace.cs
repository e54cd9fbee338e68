namespace MoeOffload.Inference.Speculation;

/// <summary>
/// How far ahead one generation is guessed: one token at first, twice as many each time that all were right, and none for a while where
/// too many were wrong. The while grows, so that a text that cannot be guessed costs little.
/// </summary>
internal sealed class GuessPace(SpeculationOptions options)
{
    // Guesses over which the share of right ones is taken; older ones fade.
    private const int Remembered = 16;
    private const int ShortestPause = 4;
    private const int LongestPause = 64;

    private double _share = options.LeastAcceptance;
    private int _length = 1;
    private int _pause;
    private int _nextPause = ShortestPause;

    /// <summary>Most tokens to guess in the next step.</summary>
    public int Length => options.LeastAcceptance == 0 ? options.MaxDraftTokens : _pause > 0 ? 0 : _length;

    /// <summary>Tells what became of a step.</summary>
    /// <param name="guessed">Tokens that were guessed.</param>
    /// <param name="right">How many of them were right.</param>
    public void Took(int guessed, int right)
    {
        if (guessed == 0)
        {
            _pause = Math.Max(0, _pause - 1);
            return;
        }

        _share += (right - (guessed * _share)) / Math.Max(Remembered, guessed);
        if (right == guessed)
        {
            _length = Math.Min(2 * _length, options.MaxDraftTokens);
            _nextPause = ShortestPause;
            return;
        }

        _length = Math.Max(1, right);
        if (_share < options.LeastAcceptance)
        {
            _pause = _nextPause;
            _nextPause = Math.Min(2 * _nextPause, LongestPause);
        }
    }
}
