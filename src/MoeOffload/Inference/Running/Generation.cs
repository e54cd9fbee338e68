using System.Diagnostics;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Planning;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>
/// One request on its way through the scheduler: as it is planned, with what samples its tokens, and with what its reader gets of them.
/// </summary>
internal sealed class Generation : IOpenRequest, ITokenProducer, IDisposable
{
    private readonly Scheduler _scheduler;
    private readonly NativeSampler _sampler;
    private readonly NativeVocabulary _vocabulary;
    private readonly TokenWriter _writer;
    private readonly bool _ignoresEnd;
    private readonly int? _topCount;
    private long _firstTokenTimestamp;
    private long _lastTokenTimestamp;

    /// <summary>Makes the generation of a request; it is submitted once its channel is read.</summary>
    /// <param name="scheduler">What runs it.</param>
    /// <param name="channel">Its reader's end, which is connected to it.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="prompt">Its prompt.</param>
    /// <param name="sampler">Chooses its tokens; it is disposed with this.</param>
    /// <param name="pieces">The text of each token.</param>
    /// <param name="vocabulary">The model's.</param>
    public Generation(
        Scheduler scheduler,
        TokenChannel channel,
        GenerationRequest request,
        int[] prompt,
        NativeSampler sampler,
        TokenPieces pieces,
        NativeVocabulary vocabulary)
    {
        _scheduler = scheduler;
        _sampler = sampler;
        _vocabulary = vocabulary;
        _ignoresEnd = request.Sampling?.IgnoreEndOfSequence ?? false;
        _topCount = request.Sampling?.TopLogProbabilities;
        _writer = new TokenWriter(channel, pieces, request.StopStrings);
        var limits = new RequestLimits
        {
            Priority = request.Priority,
            MaxTokens = request.MaxTokens ?? int.MaxValue,
            WhenFull = request.ContextFull,
            ShiftKeep = request.ShiftKeep,
        };
        Request = new SequenceRequest(prompt, limits, channel, scheduler.MakePace(request.Speculate));
        Channel = channel;
        channel.Connect(this, Request);
    }

    /// <inheritdoc/>
    public SequenceRequest Request { get; }

    /// <summary>Gets its reader's end.</summary>
    public TokenChannel Channel { get; }

    /// <summary>Samples the next token, and writes what can be read of it.</summary>
    /// <param name="executor">The context, which has just computed what was planned.</param>
    /// <param name="index">Where in the batch the logits are.</param>
    /// <returns>The token.</returns>
    /// <exception cref="InferenceException">None can be sampled.</exception>
    public int Sample(CacheExecutor executor, int index)
    {
        NativeContext context = executor.Context;
        int token = context.Sample(index, _sampler);
        TokenProbability[]? top = null;
        float probability = float.NaN;
        if (_topCount is { } count)
        {
            top = count > 0 ? new TokenProbability[Math.Min(count, context.VocabularySize)] : null;
            (int Token, float LogProbability)[] best = new (int, float)[top?.Length ?? 0];
            probability = context.LogProbability(index, token, best);
            for (int i = 0; i < best.Length; i++)
            {
                top![i] = new TokenProbability(best[i].Token, best[i].LogProbability);
            }
        }

        // Not before: a device computes on after the decode call, until its logits are read.
        _lastTokenTimestamp = Stopwatch.GetTimestamp();
        _firstTokenTimestamp = Request.GeneratedCount == 0 ? _lastTokenTimestamp : _firstTokenTimestamp;
        bool isEnd = !_ignoresEnd && _vocabulary.IsEndOfGeneration(token);
        if (Request.Accept(token, isEnd, context.SequenceLength))
        {
            executor.Run(executor.Cache.Shift(Request.Sequence, Request.CountKeptByShift(context.SequenceLength)));
        }

        if (_writer.Write(token, probability, top, Request.HasEnded, Request.EndReason))
        {
            Request.EndAtStopString();
        }

        return token;
    }

    /// <summary>Writes what is held back and can be read, as far as the reader has room for it.</summary>
    /// <returns>Whether all of it is written and nothing follows.</returns>
    public bool Flush() => _writer.Flush(Request.HasEnded, Request.EndReason);

    /// <summary>Ends it: tells the reader why nothing comes any more.</summary>
    /// <param name="failure">What is thrown to the reader, or null.</param>
    /// <param name="reason">Why it ended, if it did not fail.</param>
    public void Finish(Exception? failure, StopReason? reason) => Channel.Finish(failure, Measure(), reason, _writer.StopString);

    /// <inheritdoc/>
    public void Start() => _scheduler.Submit(this);

    /// <inheritdoc/>
    public void OnCancelled() => _scheduler.OnCancelled();

    /// <inheritdoc/>
    public void OnRoom() => _scheduler.Wake();

    /// <inheritdoc/>
    public void Discard() => Dispose();

    /// <inheritdoc/>
    public void Dispose() => _sampler.Dispose();

    private GenerationStatistics Measure()
    {
        long start = Channel.StartTimestamp;
        int generated = Request.GeneratedCount;
        return new GenerationStatistics
        {
            PromptTokens = Request.Prompt.Length,
            CachedPromptTokens = Request.CachedCount,
            QueueTime = Stopwatch.GetElapsedTime(start, Request.HasSequence ? Request.AdmissionTimestamp : Stopwatch.GetTimestamp()),
            GeneratedTokens = generated,
            DraftedTokens = Request.DraftedCount,
            AcceptedTokens = Request.AcceptedCount,
            TimeToFirstToken = generated > 0 ? Stopwatch.GetElapsedTime(start, _firstTokenTimestamp) : TimeSpan.Zero,
            DecodeTime = generated > 0 ? Stopwatch.GetElapsedTime(_firstTokenTimestamp, _lastTokenTimestamp) : TimeSpan.Zero,
        };
    }
}
