using System.Diagnostics;
using MoeOffload.Inference.Speculation;
using MoeOffload.Native;

namespace MoeOffload.Inference;

/// <summary>One request on its way through the scheduler: what is known of it, and how far it has come.</summary>
/// <param name="prompt">Its tokens.</param>
/// <param name="sampler">Chooses the next ones; it is disposed with this.</param>
/// <param name="pieces">The text of each token.</param>
/// <param name="vocabulary">The model's.</param>
/// <param name="request">What was asked for.</param>
/// <param name="speculation">How tokens are guessed in the session, or null.</param>
internal sealed class Generation(
    int[] prompt, NativeSampler sampler, TokenPieces pieces, NativeVocabulary vocabulary, GenerationRequest request, SpeculationOptions? speculation)
    : IDisposable
{
    private readonly Utf8Assembler _assembler = new();
    private readonly StopStringFilter _stops = new(request.StopStrings);
    private readonly int _maxTokens = request.MaxTokens ?? int.MaxValue;
    private readonly bool _ignoreEnd = request.Sampling?.IgnoreEndOfSequence ?? false;
    private readonly int? _topCount = request.Sampling?.TopLogProbabilities;
    private readonly ContextFullAction _whenFull = request.ContextFull;
    private readonly GuessPace? _pace = speculation is not null && request.Speculate ? new GuessPace(speculation) : null;

    private SequenceSlot? _sequence;
    private volatile int _computedCount;

    /// <summary>The prompt.</summary>
    public ReadOnlySpan<int> Prompt => prompt;

    /// <summary>How urgent it is; larger comes first.</summary>
    public int Priority => request.Priority;

    /// <summary>How long it may take, or null.</summary>
    public TimeSpan? TimeLimit => request.Deadline;

    /// <summary>The most tokens to generate.</summary>
    public int MaxTokens => _maxTokens;

    /// <summary>Its place; there is none before <see cref="Begin"/>.</summary>
    public SequenceSlot Sequence => _sequence!;

    /// <summary>Tokens of the prompt that the prefix cache held.</summary>
    public int CachedCount { get; private set; }

    /// <summary>Tokens of the prompt that are in the KV cache; from any thread.</summary>
    public int ComputedPromptCount => Math.Min(_computedCount, prompt.Length);

    /// <summary>When it got its place.</summary>
    public long BeginTimestamp { get; private set; }

    /// <summary>Tokens that are known and not in the KV cache: one while it decodes, more while its prompt is computed.</summary>
    public int PendingCount => Sequence.Tokens.Count - Sequence.Count;

    /// <summary>Guesses of the tokens after the pending one, which the step that is being packed computes as well.</summary>
    public List<int> Draft { get; } = [];

    /// <summary>How many tokens are to be guessed in the step that is being packed.</summary>
    public int DraftLimit { get; set; }

    /// <summary>Where in a drafter's batch its logits are, or -1.</summary>
    public int DraftLogits { get; set; } = -1;

    /// <summary>Tokens that were guessed.</summary>
    public int DraftedCount { get; private set; }

    /// <summary>Guesses that were right.</summary>
    public int AcceptedCount { get; private set; }

    /// <summary>How many tokens should be guessed now: each needs a cell, may be the last one, and yields one that must have room.</summary>
    public int DraftRoom(int sequenceLength, int channelRoom) => _pace is null ? 0 : Math.Min(
        Math.Min(_pace.Length, sequenceLength - Sequence.Count - 2),
        Math.Min(channelRoom - 1, _maxTokens - GeneratedCount - 1));

    /// <summary>Tokens sampled so far.</summary>
    public int GeneratedCount { get; private set; }

    /// <summary>When the first token was sampled.</summary>
    public long FirstTokenTimestamp { get; private set; }

    /// <summary>When the last token was sampled.</summary>
    public long LastTokenTimestamp { get; private set; }

    /// <summary>How many tokens the step that is being packed holds of this request.</summary>
    public int BatchedCount { get; set; }

    /// <summary>How many steps in a row have computed nothing of the prompt, but of others'.</summary>
    public int StepsPassedOver { get; set; }

    /// <summary>Where in the batch its logits are, or -1.</summary>
    public int LogitsIndex { get; set; } = -1;

    /// <summary>Why it ends, once that is known. The last tokens may still wait for the reader then.</summary>
    public StopReason? EndReason { get; private set; }

    /// <summary>The stop string that ends it, where one does.</summary>
    public string? StopString => _stops.Found;

    /// <summary>The error that it ends with, once that is known; as <see cref="EndReason"/>.</summary>
    public Exception? EndFailure { get; private set; }

    /// <summary>Whether nothing is to be computed for it any more.</summary>
    public bool HasEnded => EndReason is not null || EndFailure is not null;

    /// <summary>Forgets what the last step held of it.</summary>
    public void ClearStep()
    {
        BatchedCount = 0;
        LogitsIndex = -1;
        DraftLimit = 0;
        Draft.Clear();
    }

    /// <summary>Takes a place, in which some of the prompt may be cached already.</summary>
    public void Begin(SequenceSlot sequence, long now)
    {
        _sequence = sequence;
        CachedCount = sequence.Count;
        _computedCount = sequence.Count;
        BeginTimestamp = now;
    }

    /// <summary>Samples the next token, and those after it as long as they were guessed, and writes what can be read of them.</summary>
    /// <param name="context">The context, which has just computed what was batched.</param>
    /// <param name="channel">The reader's end; there is room.</param>
    public void Advance(NativeContext context, TokenChannel channel)
    {
        DraftedCount += Draft.Count;
        Sequence.Count += BatchedCount - Draft.Count;
        _computedCount = Sequence.Count;
        int right = 0;
        try
        {
            for (; Sample(context, LogitsIndex + right, channel) is var token && IsGuess(right, token); right++)
            {
                Sequence.Count++;
                AcceptedCount++;
            }
        }
        catch (InferenceException)
        {
            DropGuesses(context);
            throw;
        }

        DropGuesses(context);
        _pace?.Took(Draft.Count, right);
    }

    /// <summary>Takes what was computed without sampling from it.</summary>
    public void Keep(NativeContext context)
    {
        Sequence.Count += BatchedCount - Draft.Count;
        _computedCount = Sequence.Count;
        DropGuesses(context);
    }

    /// <summary>Ends it where no token was sampled.</summary>
    public void End(StopReason reason) => EndReason ??= reason;

    /// <summary>Ends it where all sequences together leave it no room.</summary>
    public void EndForOthers()
    {
        if (_whenFull == ContextFullAction.Error)
        {
            EndFailure = new ContextFullException(
                "The generations that run at once fill the context: set ContextOptions.ContextLength higher, or SequenceCount lower.");
        }
        else
        {
            End(StopReason.ContextFull);
        }
    }

    /// <summary>Writes what can be read, as far as the reader has room for it.</summary>
    /// <returns>Whether all of it is written and nothing follows.</returns>
    public bool Flush(TokenChannel channel)
    {
        if (!HasEnded)
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

    /// <summary>What it has cost so far.</summary>
    /// <param name="start">When it was first read.</param>
    public GenerationStatistics Measure(long start) => new()
    {
        PromptTokens = prompt.Length,
        CachedPromptTokens = CachedCount,
        QueueTime = Stopwatch.GetElapsedTime(start, _sequence is null ? Stopwatch.GetTimestamp() : BeginTimestamp),
        GeneratedTokens = GeneratedCount,
        DraftedTokens = DraftedCount,
        AcceptedTokens = AcceptedCount,
        TimeToFirstToken = GeneratedCount > 0 ? Stopwatch.GetElapsedTime(start, FirstTokenTimestamp) : TimeSpan.Zero,
        DecodeTime = GeneratedCount > 0 ? Stopwatch.GetElapsedTime(FirstTokenTimestamp, LastTokenTimestamp) : TimeSpan.Zero,
    };

    /// <inheritdoc/>
    public void Dispose() => sampler.Dispose();

    private bool IsGuess(int next, int token) => !HasEnded && next < Draft.Count && token == Draft[next];

    // Behind the last token that was right, the KV cache still has the wrong ones.
    private void DropGuesses(NativeContext context)
    {
        if (Draft.Count > 0)
        {
            context.Remove(Sequence.Id, Sequence.Count);
        }
    }

    private int Sample(NativeContext context, int index, TokenChannel channel)
    {
        int token = context.Sample(index, sampler);
        TokenProbability[]? top = null;
        float probability = float.NaN;
        if (_topCount is { } count)
        {
            top = count > 0 ? new TokenProbability[Math.Min(count, context.VocabularySize)] : null;
            probability = context.LogProbability(index, token, top);
        }

        Sequence.Tokens.Add(token);

        // Not before: a device computes on after the decode call, until its logits are read.
        LastTokenTimestamp = Stopwatch.GetTimestamp();
        FirstTokenTimestamp = GeneratedCount == 0 ? LastTokenTimestamp : FirstTokenTimestamp;
        GeneratedCount++;

        bool isEnd = !_ignoreEnd && vocabulary.IsEndOfGeneration(token);
        EndReason = isEnd ? StopReason.EndOfSequence
            : GeneratedCount >= _maxTokens ? StopReason.MaxTokens
            : null;

        // A shift leaves one cell unused, as llama.cpp's tools do.
        if (EndReason is null && Sequence.Count >= context.SequenceLength - (_whenFull == ContextFullAction.Shift ? 1 : 0))
        {
            MeetFullContext(context);
        }

        ReadOnlyMemory<byte> text = _assembler.Append(pieces[token], pieces.IsWhole(token));
        if (HasEnded)
        {
            ReadOnlyMemory<byte> rest = _assembler.Flush();
            text = rest.IsEmpty ? text : (byte[])[.. text.Span, .. rest.Span];
        }

        Take(new GeneratedToken(token, text, probability, top, null), channel);
        return token;
    }

    private void MeetFullContext(NativeContext context)
    {
        switch (_whenFull)
        {
            case ContextFullAction.Shift:
                ContextShift.Apply(context, Sequence, request.ShiftKeep ?? Math.Min(prompt.Length, context.SequenceLength / 2));
                break;
            case ContextFullAction.Error:
                EndFailure = new ContextFullException(
                    $"The generation fills its part of the context, {context.SequenceLength} tokens: set ContextOptions.ContextLength higher, or "
                    + "GenerationRequest.ContextFull to Stop or Shift.");
                break;
            default:
                EndReason = StopReason.ContextFull;
                break;
        }
    }

    private void Take(in GeneratedToken token, TokenChannel channel)
    {
        if (!_stops.IsActive)
        {
            channel.Write(token.With(token.Utf8, EndReason));
        }
        else if (_stops.Append(token))
        {
            EndFailure = null;
            EndReason = StopReason.StopString;
        }
    }
}
