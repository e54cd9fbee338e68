using MoeOffload.Native;

namespace MoeOffload;

/// <summary>One request on its way through the scheduler: what is known of it, and how far it has come.</summary>
internal sealed class Generation(int[] prompt, NativeSampler sampler, TokenPieces pieces, NativeVocabulary vocabulary, GenerationRequest request)
    : IDisposable
{
    private readonly Utf8Assembler _assembler = new();
    private readonly StopStringFilter _stops = new(request.StopStrings);
    private readonly int _maxTokens = request.MaxTokens ?? int.MaxValue;
    private readonly bool _ignoreEnd = request.Sampling?.IgnoreEndOfSequence ?? false;
    private readonly int? _topCount = request.Sampling?.TopLogProbabilities;

    /// <summary>The native sequence, while it has one.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens of the prompt.</summary>
    public int PromptLength => prompt.Length;

    /// <summary>Tokens in the KV cache.</summary>
    public int Position { get; set; }

    /// <summary>Tokens sampled so far.</summary>
    public int GeneratedCount { get; private set; }

    /// <summary>When the first token was sampled.</summary>
    public long FirstTokenTimestamp { get; private set; }

    /// <summary>When the last token was sampled.</summary>
    public long LastTokenTimestamp { get; private set; }

    /// <summary>How many tokens the step that is being packed holds of this request.</summary>
    public int BatchedCount { get; set; }

    /// <summary>Where in the batch its logits are, or -1.</summary>
    public int LogitsIndex { get; set; } = -1;

    /// <summary>Whether the whole prompt is in the KV cache.</summary>
    public bool IsDecoding => Position >= prompt.Length;

    /// <summary>The sampled token that is not in the KV cache yet.</summary>
    public int LastToken { get; private set; }

    /// <summary>Why it ends, once that is known. The last tokens may still wait for the reader then.</summary>
    public StopReason? EndReason { get; private set; }

    /// <summary>The prompt's token at a position.</summary>
    public int PromptToken(int position) => prompt[position];

    /// <summary>Samples the next token, for which the reader has room, and writes what can be read of it.</summary>
    public void Advance(NativeContext context, TokenChannel channel, long now)
    {
        int token = context.Sample(LogitsIndex, sampler);
        TokenProbability[]? top = null;
        float probability = float.NaN;
        if (_topCount is { } count)
        {
            top = count > 0 ? new TokenProbability[Math.Min(count, context.VocabularySize)] : null;
            probability = context.LogProbability(LogitsIndex, token, top);
        }

        LastToken = token;
        LastTokenTimestamp = now;
        FirstTokenTimestamp = GeneratedCount == 0 ? now : FirstTokenTimestamp;
        GeneratedCount++;

        bool isEnd = !_ignoreEnd && vocabulary.IsEndOfGeneration(token);
        EndReason = isEnd ? StopReason.EndOfSequence
            : GeneratedCount >= _maxTokens ? StopReason.MaxTokens
            : Position >= context.SequenceLength ? StopReason.ContextFull
            : null;
        ReadOnlyMemory<byte> text = _assembler.Append(pieces[token], pieces.IsWhole(token));
        if (EndReason is not null)
        {
            ReadOnlyMemory<byte> rest = _assembler.Flush();
            text = rest.IsEmpty ? text : (byte[])[.. text.Span, .. rest.Span];
        }

        Take(new GeneratedToken(token, text, probability, top, null), channel);
    }

    /// <summary>Ends it where no token was sampled.</summary>
    public void End(StopReason reason) => EndReason = reason;

    /// <summary>Writes what can be read, as far as the reader has room for it.</summary>
    /// <returns>Whether all of it is written and nothing follows.</returns>
    public bool Flush(TokenChannel channel)
    {
        if (EndReason is null)
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
            channel.Write(_stops.HeldCount > 0 ? drained : drained.With(drained.Utf8, EndReason));
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => sampler.Dispose();

    private void Take(in GeneratedToken token, TokenChannel channel)
    {
        if (!_stops.IsActive)
        {
            channel.Write(token.With(token.Utf8, EndReason));
        }
        else if (_stops.Append(token))
        {
            EndReason = StopReason.StopString;
        }
    }
}
