using System.Text;

namespace MoeOffload;

/// <summary>One token of a stream.</summary>
/// <remarks>
/// A token's bytes may end in the middle of a code point. Such bytes wait for the token that completes them, so <see cref="Utf8"/>
/// is always valid UTF-8, and empty where nothing is complete yet. Bytes that no token can complete read as U+FFFD.
/// </remarks>
public readonly struct GeneratedToken
{
    private readonly TokenProbability[]? _top;

    internal GeneratedToken(int id, ReadOnlyMemory<byte> utf8, float logProbability, TokenProbability[]? top, StopReason? stopReason)
    {
        Id = id;
        Utf8 = utf8;
        LogProbability = logProbability;
        _top = top;
        StopReason = stopReason;
    }

    /// <summary>The token's id in the model's vocabulary.</summary>
    public int Id { get; }

    /// <summary>The text as UTF-8. Stays valid for as long as it is kept; reading it allocates nothing.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>The text. Each call decodes <see cref="Utf8"/> into a new string.</summary>
    public string Text => Encoding.UTF8.GetString(Utf8.Span);

    /// <summary>
    /// The natural logarithm of the token's probability before sampling, or NaN where <see cref="SamplingOptions.TopLogProbabilities"/>
    /// did not ask for it.
    /// </summary>
    public float LogProbability { get; }

    /// <summary>The most likely tokens at this position, best first; empty where not asked for.</summary>
    public IReadOnlyList<TokenProbability> TopLogProbabilities => _top ?? [];

    /// <summary>On the last token of a stream, why it ended; else null. An end-of-generation token has no text.</summary>
    public StopReason? StopReason { get; }

    internal GeneratedToken With(ReadOnlyMemory<byte> utf8, StopReason? stopReason) => new(Id, utf8, LogProbability, _top, stopReason);
}
