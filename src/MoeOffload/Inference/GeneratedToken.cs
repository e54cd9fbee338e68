using System.Text;

namespace MoeOffload;

/// <summary>Represents one token of a stream.</summary>
/// <remarks>
/// A token can end in the middle of a UTF-8 code point. Such bytes are held back until a later token completes them, so <see cref="Utf8"/>
/// is always valid UTF-8, and is empty if no code point is complete. Bytes that are never completed are replaced by U+FFFD.
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

    /// <summary>Gets the token id in the model's vocabulary.</summary>
    public int Id { get; }

    /// <summary>Gets the text as UTF-8. The memory stays valid after the stream has moved on. Reading the property does not allocate.</summary>
    public ReadOnlyMemory<byte> Utf8 { get; }

    /// <summary>Gets the text. Each call decodes <see cref="Utf8"/> into a new string.</summary>
    public string Text => Encoding.UTF8.GetString(Utf8.Span);

    /// <summary>
    /// Gets the natural logarithm of the token's probability before sampling, or <see cref="float.NaN"/> if
    /// <see cref="SamplingOptions.TopLogProbabilities"/> is not set.
    /// </summary>
    public float LogProbability { get; }

    /// <summary>
    /// Gets the most probable tokens at this position, in descending order of probability. The list is empty if they were not requested.
    /// </summary>
    public IReadOnlyList<TokenProbability> TopLogProbabilities => _top ?? [];

    /// <summary>
    /// Gets the reason that the stream ended if this is its last token; otherwise, <see langword="null"/>. An end-of-generation token has
    /// no text.
    /// </summary>
    public StopReason? StopReason { get; }

    internal GeneratedToken With(ReadOnlyMemory<byte> utf8, StopReason? stopReason) => new(Id, utf8, LogProbability, _top, stopReason);
}
