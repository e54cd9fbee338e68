using MoeOffload.Models;

namespace MoeOffload.Inference.Output;

/// <summary>Turns sampled tokens into what a reader gets: whole code points, and nothing of a stop string.</summary>
/// <param name="channel">The reader's end.</param>
/// <param name="pieces">The text of each token.</param>
/// <param name="stopStrings">Texts that end the generation.</param>
internal sealed class TokenWriter(TokenChannel channel, TokenPieces pieces, IReadOnlyList<string> stopStrings)
{
    private readonly Utf8Assembler _assembler = new();
    private readonly StopStringFilter _stops = new(stopStrings);

    /// <summary>Gets the stop string that is complete, or null.</summary>
    public string? StopString => _stops.Found;

    /// <summary>Writes a token, or holds it back as long as it may be part of a stop string. There must be room for it.</summary>
    /// <param name="token">The token.</param>
    /// <param name="probability">Its log-probability, or NaN.</param>
    /// <param name="top">The most likely tokens, or null.</param>
    /// <param name="isLast">Whether nothing follows.</param>
    /// <param name="endReason">Why nothing follows, if that is no failure.</param>
    /// <returns>Whether a stop string is complete, and nothing is to follow.</returns>
    public bool Write(int token, float probability, TokenProbability[]? top, bool isLast, StopReason? endReason)
    {
        ReadOnlyMemory<byte> text = _assembler.Append(pieces[token], pieces.IsWhole(token));
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

    /// <summary>Writes what is held back and can be read, as far as the reader has room for it.</summary>
    /// <param name="isLast">Whether nothing follows.</param>
    /// <param name="endReason">Why nothing follows, if that is no failure.</param>
    /// <returns>Whether all of it is written and nothing follows.</returns>
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
