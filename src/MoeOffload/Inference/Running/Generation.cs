using System.Diagnostics;
using MoeOffload.Inference.Output;
using MoeOffload.Inference.Planning;
using MoeOffload.Models;
using MoeOffload.Native;

namespace MoeOffload.Inference.Running;

/// <summary>Represents a request in the scheduler: its plan, its sampler and its output.</summary>
internal sealed class Generation : IOpenRequest, ITokenProducer, IDisposable
{
    private readonly Scheduler _scheduler;
    private readonly NativeSampler _sampler;
    private readonly NativeVocabulary _vocabulary;
    private readonly TokenWriter _writer;
    private readonly bool _ignoresEnd;
    private readonly int[] _stopTokens;
    private readonly int? _topCount;
    private readonly ImagePrompt? _images;
    private long _firstTokenTimestamp;
    private long _lastTokenTimestamp;

    /// <summary>Creates the generation of a request and connects it to its channel.</summary>
    /// <param name="scheduler">The scheduler that runs it.</param>
    /// <param name="channel">The channel to the reader.</param>
    /// <param name="request">The request.</param>
    /// <param name="prompt">The tokens of the prompt.</param>
    /// <param name="sampler">The sampler, which the generation disposes.</param>
    /// <param name="pieces">The text of each token.</param>
    /// <param name="vocabulary">The vocabulary of the model.</param>
    /// <param name="images">The prompt with images that the tokens are from, which the generation disposes, or null if there are none.</param>
    public Generation(
        Scheduler scheduler,
        TokenChannel channel,
        GenerationRequest request,
        int[] prompt,
        NativeSampler sampler,
        TokenPieces pieces,
        NativeVocabulary vocabulary,
        ImagePrompt? images = null)
    {
        _images = images;
        _scheduler = scheduler;
        _sampler = sampler;
        _vocabulary = vocabulary;
        _ignoresEnd = request.Sampling?.IgnoreEndOfSequence ?? false;
        _stopTokens = [.. request.StopTokens];
        _topCount = request.Sampling?.TopLogProbabilities;
        _writer = new TokenWriter(channel, pieces, request.StopStrings);
        var limits = new RequestLimits
        {
            Priority = request.Priority,
            MaxTokens = request.MaxTokens ?? int.MaxValue,
            WhenFull = request.ContextFull,
            KeepTokens = request.KeepTokens,
        };
        bool drafts = request.Speculate && (images is null || scheduler.DraftsAfterImages);
        Request = new SequenceRequest(prompt, limits, channel, scheduler.MakePace(drafts), images?.Images);
        Channel = channel;
        channel.Connect(this, Request);
    }

    /// <inheritdoc/>
    public SequenceRequest Request { get; }

    /// <summary>Gets the channel to the reader.</summary>
    public TokenChannel Channel { get; }

    /// <summary>Samples the next token and writes the output that it completes.</summary>
    /// <param name="executor">The executor whose context has just computed the plan.</param>
    /// <param name="index">The index of the logits in the batch.</param>
    /// <returns>The token.</returns>
    /// <exception cref="InferenceException">No token can be sampled.</exception>
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

        // The time is taken only now because a device continues to compute after the decode call, until the logits are read.
        _lastTokenTimestamp = Stopwatch.GetTimestamp();
        _firstTokenTimestamp = Request.GeneratedCount == 0 ? _lastTokenTimestamp : _firstTokenTimestamp;
        bool isStop = _stopTokens.Contains(token);
        bool isEnd = isStop || (!_ignoresEnd && _vocabulary.IsEndOfGeneration(token));
        if (Request.Accept(token, isEnd, context.SequenceLength))
        {
            executor.Run(executor.Cache.Shift(Request.Sequence, Request.CountKeptByShift(context.SequenceLength)));
        }

        if (_writer.Write(token, !isStop, probability, top, Request.HasEnded, Request.EndReason))
        {
            Request.EndAtStopString();
        }

        return token;
    }

    /// <summary>Writes the tokens that are held back and can be released, as far as there is room for them.</summary>
    /// <returns><see langword="true"/> if all tokens are written and none follows.</returns>
    public bool Flush() => _writer.Flush(Request.HasEnded, Request.EndReason);

    /// <summary>Ends the generation and notifies the reader.</summary>
    /// <param name="failure">The exception to throw to the reader, or null.</param>
    /// <param name="reason">The reason that the generation ended, or null if it failed.</param>
    public void Finish(Exception? failure, StopReason? reason) => Channel.Finish(failure, Measure(), reason, _writer.StopString);

    /// <inheritdoc/>
    public void OnCancelled() => _scheduler.OnCancelled();

    /// <inheritdoc/>
    public void OnRoom() => _scheduler.Wake();

    /// <inheritdoc/>
    public void Dispose()
    {
        _sampler.Dispose();
        _images?.Dispose();
    }

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
