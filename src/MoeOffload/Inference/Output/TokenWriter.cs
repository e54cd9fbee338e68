using MoeOffload.Models;

namespace MoeOffload.Inference.Output;

/// <summary>Converts sampled tokens to the output for the reader: complete code points, without stop strings.</summary>
/// <param name="channel">The channel to the reader.</param>
/// <param name="pieces">The text of each token.</param>
/// <param name="stopStrings">The strings that end the generation.</param>
internal sealed class TokenWriter(TokenChannel channel, TokenPieces pieces, IReadOnlyList<string> stopStrings)
{
    private readonly Utf8Assembler _assembler = new();
    private readonly StopStringFilter _stops = new(stopStrings);

    /// <summary>Gets the stop string that was found, or null.</summary>
    public string? StopString => _stops.Found;

    /// <summary>Writes a token, or holds it back while it might be part of a stop string. There must be room for it.</summary>
    /// <param name="token">The token.</param>
    /// <param name="isText"><see langword="false"/> if the text of the token is not part of the output.</param>
    /// <param name="probability">The log-probability of the token, or NaN.</param>
    /// <param name="top">The most probable tokens, or null.</param>
    /// <param name="isLast"><see langword="true"/> if no token follows.</param>
    /// <param name="endReason">The reason that no token follows, or null if the generation failed.</param>
    /// <returns><see langword="true"/> if a stop string was found, which ends the generation.</returns>
    public bool Write(int token, bool isText, float probability, TokenProbability[]? top, bool isLast, StopReason? endReason)
    {
        ReadOnlyMemory<byte> text = isText ? _assembler.Append(pieces[token], pieces.IsWhole(token)) : default;
        if (isLast)
        {
            ReadOnlyMemory<byte> rest = _assembler.Flush();
            text = rest.IsEmpty ? text : (byte[])[.. text.Span, .. rest.Span];
        }

        if (_stops.IsActive)
        {
            return _stops.Append(new GeneratedToken(token, text, probability, top, null));
        }

        channel.Write(new GeneratedToken(token, text, probability, top, endReason));
        return false;
    }

    /// <summary>Writes the tokens that are held back and can be released, as far as there is room for them.</summary>
    /// <param name="isLast"><see langword="true"/> if no token follows.</param>
    /// <param name="endReason">The reason that no token follows, or null if the generation failed.</param>
    /// <returns><see langword="true"/> if all tokens are written and none follows.</returns>
    public bool Flush(bool isLast, StopReason? endReason)
    {
        if (!isLast)
        {
            while (_stops.HeldCount > 0 && channel.HasRoom() && _stops.TryRelease(out GeneratedToken released))
            {
                channel.Write(released);
            }

            return false;
        }

        while (_stops.HeldCount > 0)
        {
            if (!channel.HasRoom())
            {
                return false;
            }

            GeneratedToken drained = _stops.Drain();
            channel.Write(_stops.HeldCount > 0 ? drained : drained.With(drained.Utf8, endReason));
        }

        return true;
    }
}
