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

    /// <summary>The most tokens that one step can release at once, held-back ones included.</summary>
    public int PendingCount => _stops.HeldCount + 1;

    /// <summary>The prompt's token at a position.</summary>
    public int PromptToken(int position) => prompt[position];

    /// <summary>Samples the next token and writes what can be read of it.</summary>
    /// <returns>Why the generation ends here, or null.</returns>
    public StopReason? Advance(NativeContext context, TokenStream stream, long now)
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
        StopReason? reason = isEnd ? StopReason.EndOfSequence
            : GeneratedCount >= _maxTokens ? StopReason.MaxTokens
            : Position >= context.SequenceLength ? StopReason.ContextFull
            : null;
        ReadOnlyMemory<byte> text = _assembler.Append(pieces[token], pieces.IsWhole(token));
        if (reason is not null)
        {
            ReadOnlyMemory<byte> rest = _assembler.Flush();
            text = rest.IsEmpty ? text : (byte[])[.. text.Span, .. rest.Span];
        }

        return Emit(new GeneratedToken(token, text, probability, top, null), reason, stream);
    }

    /// <inheritdoc/>
    public void Dispose() => sampler.Dispose();

    private StopReason? Emit(in GeneratedToken token, StopReason? reason, TokenStream stream)
    {
        if (!_stops.IsActive)
        {
            stream.Write(reason is null ? token : token.With(token.Utf8, reason));
            return reason;
        }

        if (_stops.Append(token))
        {
            reason = StopReason.StopString;
        }

        if (reason is null)
        {
            while (_stops.TryRelease(out GeneratedToken released))
            {
                stream.Write(released);
            }

            return null;
        }

        while (_stops.TryDrain(out GeneratedToken drained))
        {
            stream.Write(_stops.HeldCount > 0 ? drained : drained.With(drained.Utf8, reason));
        }

        return reason;
    }
}
